/// A key as its one declaration states it, with the value it got.
package struct KeyRecord: Equatable, Sendable {
    /// `section.key`; in the elements of a list `section.list[].key`.
    package let path: String
    package let key: String
    package let type: String
    package let unit: String?
    package let bounds: String?
    package let meaning: String
    package let standard: String
    /// As it stands in the effective configuration.
    package let value: String

    /// `key: value`.
    package var line: String { "\(key): \(value)" }
}

/// Reads a whole document by its declarations.
///
/// `edit` changes the document first; `read` declares the keys of the top section and makes the value; `checks` says
/// what is wrong with a value whose keys are each right. Returns the value and the reader with all that was declared.
///
/// - Throws: every problem at once.
package func readDocument<Value>(
    _ text: String,
    file: String,
    edit: (inout YAMLNode) throws(ConfigurationError) -> Void = { (_) throws(ConfigurationError) in },
    _ read: (inout SectionReader) -> Value,
    checks: (Value) -> [ConfigurationProblem]
) throws(ConfigurationError) -> (value: Value, top: SectionReader) {
    var root = try readYAML(text, file: file)
    try edit(&root)
    var top = SectionReader(path: "", node: root)
    let value = read(&top)
    top.finish()
    let problems = top.problems.isEmpty ? checks(value) : top.problems
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    return (value, top)
}

/// Reads one section of a configuration, key by key.
///
/// Each call of `read` declares a key, and is all there is about it: its name, the property that it fills, type with
/// bounds and unit, and meaning. The default is the value that the property has before. The call decodes and checks
/// the value, and records the declaration for the reference and for the effective configuration. Problems are
/// collected; a key with a problem leaves its property as it is.
package struct SectionReader {
    /// Shown in paths: `policy`, `simulate.groups[0]`.
    package let path: String
    private let location: String?
    private let members: [YAMLNode.Member]
    private var known: [String] = []
    package private(set) var records: [KeyRecord] = []
    /// The keys of list elements, for the reference.
    package private(set) var elementRecords: [KeyRecord] = []
    /// The sections read so far, in order.
    package private(set) var sections: [SectionReader] = []
    package private(set) var problems: [ConfigurationProblem] = []

    /// Reads the members of `node`; nil, or YAML's null, is a section left out.
    package init(path: String, node: YAMLNode?) {
        self.path = path
        location = node?.location
        guard let node, !node.isNull else {
            members = []
            return
        }
        if case .mapping(let found) = node.content {
            members = found
        } else {
            members = []
            problems = [.init(location: node.location, message: "\(path): needs keys and values, not \(node.kind)")]
        }
    }

    /// Reports keys that no declaration asked for.
    ///
    /// Call last.
    package mutating func finish() {
        for member in members where !known.contains(member.key) {
            let near = nearestName(to: member.key, among: known).map { "; did you mean \(fullPath($0))?" } ?? ""
            problems.append(.init(location: member.location, message: "unknown key \(fullPath(member.key))\(near)"))
        }
    }

    /// Declares a key and reads it into a property, whose value before is the default.
    package mutating func read<Value>(_ key: String, _ property: inout Value, _ type: KeyType<Value>, _ meaning: String)
    {
        read(key, &property, type, standard: type.show(property), meaning)
    }

    /// Declares a key without a default, and reads it into a property; a missing one is a problem.
    package mutating func readRequired<Value>(
        _ key: String,
        _ property: inout Value,
        _ type: KeyType<Value>,
        _ meaning: String
    ) {
        if !members.contains(where: { $0.key == key }) {
            report(key, "is missing; it needs \(type.requirement)", at: location)
        }
        read(key, &property, type, standard: "required", meaning)
    }

    /// Declares that a key has another name now; an old one is a problem that names the new one.
    package mutating func renamed(_ old: String, to key: String) {
        known.append(old)
        guard let member = members.first(where: { $0.key == old }) else { return }
        report(old, "is called \(fullPath(key)) now", at: member.location)
    }

    /// Declares a list of mappings and reads it into a property, each element from `blank` by `readKeys`.
    ///
    /// `standard` is the default, as YAML.
    package mutating func readList<Element>(
        _ key: String,
        _ property: inout [Element],
        of blank: Element,
        standard: String,
        _ meaning: String,
        readKeys: (inout Element, inout SectionReader) -> Void
    ) {
        known.append(key)
        let given = members.first { $0.key == key }?.value
        var list = given
        if given == nil { list = try? readYAML(standard, file: "default of \(fullPath(key))") }
        var elements: [Element] = []
        var shown: [String] = []
        if case .list(let nodes) = list?.content {
            for (index, node) in nodes.enumerated() {
                var reader = SectionReader(path: "\(fullPath(key))[\(index)]", node: node)
                elements.append(blank)
                readKeys(&elements[index], &reader)
                reader.finish()
                problems += reader.problems
                shown.append("{" + reader.records.map(\.line).joined(separator: ", ") + "}")
            }
        } else {
            report(key, "needs a list of mappings, not \(list?.kind ?? "nothing")", at: list?.location)
        }
        records.append(
            KeyRecord(
                path: fullPath(key),
                key: key,
                type: "list of mappings",
                unit: nil,
                bounds: nil,
                meaning: meaning,
                standard: standard,
                value: "[" + shown.joined(separator: ", ") + "]"
            )
        )
        var template = SectionReader(path: "\(fullPath(key))[]", node: nil)
        var element = blank
        readKeys(&element, &template)
        elementRecords += template.records + template.elementRecords
        property = elements
    }

    /// Its keys, then those of the sections in it.
    package var allRecords: [KeyRecord] { records + sections.flatMap(\.allRecords) }

    /// Declares a section and reads its keys.
    package mutating func section(_ key: String, _ readKeys: (inout SectionReader) -> Void) {
        known.append(key)
        var reader = SectionReader(path: fullPath(key), node: members.first { $0.key == key }?.value)
        readKeys(&reader)
        reader.finish()
        sections.append(reader)
        problems += reader.problems
    }

    private mutating func read<Value>(
        _ key: String,
        _ property: inout Value,
        _ type: KeyType<Value>,
        standard: String,
        _ meaning: String
    ) {
        known.append(key)
        if let node = members.first(where: { $0.key == key })?.value {
            if !node.isNull || type.nullable, let value = type.convert(node) {
                property = value
            } else {
                report(key, "needs \(type.requirement), not \(type.describe(node))", at: node.location)
            }
        }
        records.append(
            KeyRecord(
                path: fullPath(key),
                key: key,
                type: type.name,
                unit: type.unit,
                bounds: type.bounds,
                meaning: meaning,
                standard: standard,
                value: type.show(property)
            )
        )
    }

    /// Adds a problem of a key.
    private mutating func report(_ key: String, _ reason: String, at location: String?) {
        problems.append(.init(location: location, message: "\(fullPath(key)): \(reason)"))
    }

    /// `section.key`; the top level has no section.
    package func fullPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
