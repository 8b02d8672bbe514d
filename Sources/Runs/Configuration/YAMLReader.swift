internal import Yams

/// Reads the part of YAML that a configuration needs: block and flow mappings and lists, plain and quoted scalars,
/// comments.
///
/// Anchors, aliases, tags, merge keys, block scalars and several documents are refused, so a small file cannot expand
/// into a large one and no type is guessed.
func readYAML(_ text: String, file: String) throws(ConfigurationError) -> ConfigurationNode {
    guard text.utf8.count <= 1 << 20 else {
        throw ConfigurationError(file, nil, "larger than 1 MiB; that is no configuration file")
    }
    if let refusal = refusedSyntax(in: text) {
        throw ConfigurationError(file, refusal.line, refusal.reason)
    }
    do {
        guard let root = try Yams.Parser(yaml: text, encoding: .utf8).singleRoot() else {
            return ConfigurationNode(content: .mapping([]), place: "\(file):1")
        }
        return try convert(root, file: file)
    } catch let error as ConfigurationError {
        throw error
    } catch let error as YamlError {
        throw explain(error, file: file)
    } catch {
        throw ConfigurationError(file, nil, "\(error)")
    }
}

extension ConfigurationError {
    fileprivate init(_ file: String, _ line: Int?, _ message: String) {
        self.init(problems: [ConfigurationProblem(place: line.map { "\(file):\($0)" } ?? file, message: message)])
    }
}

private func convert(_ node: Node, file: String) throws(ConfigurationError) -> ConfigurationNode {
    let place = "\(file):\(node.mark?.line ?? 1)"
    switch node {
    case .scalar(let scalar):
        let quoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
        return ConfigurationNode(content: .scalar(scalar.string, quoted: quoted), place: place)
    case .sequence(let sequence):
        var elements: [ConfigurationNode] = []
        for element in sequence { elements.append(try convert(element, file: file)) }
        return ConfigurationNode(content: .list(elements), place: place)
    case .mapping(let mapping):
        var members: [ConfigurationNode.Member] = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            guard case .scalar(let name) = key else {
                throw ConfigurationError(file, line, "a key must be a plain word")
            }
            guard name.string != "<<" else {
                throw ConfigurationError(file, line, "merge keys (<<) are not supported; write the keys out")
            }
            members.append(.init(key: name.string, place: "\(file):\(line)", value: try convert(value, file: file)))
        }
        return ConfigurationNode(content: .mapping(members), place: place)
    case .alias:
        throw ConfigurationError(file, node.mark?.line, "aliases (*) are not supported; write the value out")
    }
}

private func explain(_ error: YamlError, file: String) -> ConfigurationError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        return ConfigurationError(file, mark.line, "not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
        let names = keys.map { "\"\($0)\"" }.joined(separator: ", ")
        return ConfigurationError(file, context.mark.line, "key \(names) is given twice")
    case .reader(let problem, _, _, _):
        return ConfigurationError(file, nil, "not valid YAML: \(problem)")
    default:
        return ConfigurationError(file, nil, "not valid YAML")
    }
}
