/// Lays one `--set a.b=value` over a configuration.
///
/// The value is YAML, so lists may be given: `[maxmin, single]`. A number in the path chooses an element of a list,
/// from 0: `simulate.groups.0.users=11`.
package func applyOverride(_ option: String, to root: inout YAMLNode) throws(ConfigurationError) {
    let location = "--set \(option)"
    guard let equals = option.firstIndex(of: "="), equals != option.startIndex else {
        throw ConfigurationError(problems: [.init(location: location, message: "needs the form section.key=value")])
    }
    let path = option[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.count <= 8, !path.contains("") else {
        throw ConfigurationError(problems: [.init(location: location, message: "the path of the key is malformed")])
    }
    let text = String(option[option.index(after: equals)...])
    var value: YAMLNode
    do {
        value = try readYAML("value: \(text)", file: location)
    } catch {
        throw ConfigurationError(
            problems: error.problems.map { ConfigurationProblem(location: location, message: $0.message) }
        )
    }
    guard case .mapping(let members) = value.content, members.count == 1 else {
        throw ConfigurationError(problems: [.init(location: location, message: "needs one value")])
    }
    value = relocate(members[0].value, to: location)
    try set(value, at: path[...], in: &root, location: location)
}

private func set(
    _ value: YAMLNode,
    at path: ArraySlice<String>,
    in node: inout YAMLNode,
    location: String
) throws(ConfigurationError) {
    guard let step = path.first else {
        node = value
        return
    }
    switch node.content {
    case .list(var elements):
        guard let index = Int(step), elements.indices.contains(index) else {
            let reason = "\(step) is no element of a list of \(elements.count) (the first is 0)"
            throw ConfigurationError(problems: [.init(location: location, message: reason)])
        }
        try set(value, at: path.dropFirst(), in: &elements[index], location: location)
        node.content = .list(elements)
    case .mapping(var members):
        let index = members.firstIndex { $0.key == step } ?? members.endIndex
        if index == members.endIndex {
            members.append(
                .init(key: step, location: location, value: .init(content: .mapping([]), location: location))
            )
        }
        try set(value, at: path.dropFirst(), in: &members[index].value, location: location)
        node.content = .mapping(members)
    case .scalar:
        // Null, or a scalar that the section it stands for cannot be: the reader reports what remains wrong.
        node = YAMLNode(content: .mapping([]), location: location)
        try set(value, at: path, in: &node, location: location)
    }
}

private func relocate(_ node: YAMLNode, to location: String) -> YAMLNode {
    var moved = node
    moved.location = location
    switch node.content {
    case .scalar: break
    case .list(let elements): moved.content = .list(elements.map { relocate($0, to: location) })
    case .mapping(let members):
        moved.content = .mapping(
            members.map { .init(key: $0.key, location: location, value: relocate($0.value, to: location)) }
        )
    }
    return moved
}
