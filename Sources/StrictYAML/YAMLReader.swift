package import Failures
import Files
import StrictJSON

/// Lists and mappings within each other; no configuration needs a quarter of that.
private let maximumDepth = 16

/// Reads the part of YAML that a configuration needs: block and flow mappings and lists, plain and quoted scalars,
/// comments.
///
/// Anchors, aliases, tags, merge keys, block scalars and several documents are refused, so a small file cannot expand
/// into a large one and no type is guessed.
package func readYAML(_ text: String, file: String) throws(ConfigurationError) -> YAMLNode {
    var line: Int?
    var reason = "larger than 1 MiB; that is no configuration file"
    if text.utf8.count <= 1 << 20 {
        do throws(YAMLEvents.Refusal) {
            let reader = YAMLComposer(events: YAMLEvents(text), file: file)
            return try reader.document()
        } catch {
            (line, reason) = (error.line, error.reason)
        }
    }
    let location = line.map { "\(file):\($0)" } ?? file
    throw ConfigurationError(problems: [ConfigurationProblem(location: location, message: reason)])
}

/// Makes nodes of events.
private struct YAMLComposer {
    package let events: YAMLEvents
    package let file: String

    /// The only document; none is an empty mapping.
    package func document() throws(YAMLEvents.Refusal) -> YAMLNode {
        guard case .documentStart = try events.next() else {
            return YAMLNode(content: .mapping([]), location: "\(file):1")
        }
        let root = try node(of: events.next(), depth: 0)
        _ = try events.next()
        guard case .streamEnd = try events.next() else { throw refusal("not valid YAML: but found another document") }
        return root
    }

    /// The node that begins with an event.
    private func node(of event: YAMLEvents.Event, depth: Int) throws(YAMLEvents.Refusal) -> YAMLNode {
        let location = "\(file):\(events.line)"
        guard depth < maximumDepth else { throw refusal("nested too deeply") }
        switch event {
        case .listStart:
            var elements: [YAMLNode] = []
            while true {
                let event = try events.next()
                if case .end = event { return YAMLNode(content: .list(elements), location: location) }
                elements.append(try node(of: event, depth: depth + 1))
            }
        case .mappingStart:
            return YAMLNode(content: .mapping(try members(depth: depth)), location: location)
        case .scalar(let text, let quoted):
            return YAMLNode(content: .scalar(text, quoted: quoted), location: location)
        case .end, .documentStart, .documentEnd, .streamEnd:
            preconditionFailure("libyaml ends what it has begun")
        }
    }

    private func members(depth: Int) throws(YAMLEvents.Refusal) -> [YAMLNode.Member] {
        var members: [YAMLNode.Member] = []
        var lines: [ByteString: Int] = [:]
        while true {
            let event = try events.next()
            if case .end = event { return members }
            guard case .scalar(let key, let quoted) = event else { throw refusal("a key must be a plain word") }
            guard key != "<<" || quoted else {
                throw refusal("merge keys (<<) are not supported; write the keys out")
            }
            let line = events.line
            if let first = lines.updateValue(line, forKey: ByteString(key)) {
                throw YAMLEvents.Refusal(line: first, reason: "key \"\(key)\" is given twice")
            }
            let value = try node(of: events.next(), depth: depth + 1)
            members.append(.init(key: key, location: "\(file):\(line)", value: value))
        }
    }

    private func refusal(_ reason: String) -> YAMLEvents.Refusal {
        YAMLEvents.Refusal(line: events.line, reason: reason)
    }
}

/// The text of a file that holds YAML, at most 1 MiB.
///
/// - Throws: `Failure` where it is no readable file of UTF-8 text.
package func readYAMLText(_ path: String) throws(Failure) -> String {
    let bytes: [UInt8]
    do throws(Failure) {
        bytes = try RegularFile(path: path).contents(limit: 1 << 20)
    } catch {
        throw error.code == .badData ? Failure(.configuration, error.message, at: path) : error
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.configuration, "is not UTF-8 text", at: path)
    }
    return text
}
