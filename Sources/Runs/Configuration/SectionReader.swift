/// A key as its one declaration states it, with the value it got.
struct KeyRecord: Equatable, Sendable {
    /// `section.key`; in the elements of a list `section.list[].key`.
    let path: String
    let key: String
    let type: String
    let unit: String?
    let bounds: String?
    let meaning: String
    let standard: String
    /// As it stands in the effective configuration.
    let value: String

    /// `key: value`.
    var line: String { "\(key): \(value)" }
}

/// Reads one section of a configuration, key by key.
///
/// Each call declares a key, and is all there is about it: it decodes and checks the value, and records name, type,
/// unit, range, meaning and default for the reference and for the effective configuration. Problems are collected; a
/// key with a problem reads as its default.
struct SectionReader {
    /// Shown in paths: `policy`, `simulate.groups[0]`.
    let path: String
    private let place: String?
    private let members: [ConfigurationNode.Member]
    private var known: [String] = []
    private(set) var records: [KeyRecord] = []
    /// The keys of list elements, for the reference.
    private(set) var elementRecords: [KeyRecord] = []
    /// The sections read so far, in order.
    private(set) var sections: [SectionReader] = []
    private(set) var problems: [ConfigurationProblem] = []

    /// Reads the members of `node`; nil, or YAML's null, is a section left out.
    init(path: String, node: ConfigurationNode?) {
        self.path = path
        place = node?.place
        guard let node, !node.isNull else {
            members = []
            return
        }
        if case .mapping(let found) = node.content {
            members = found
        } else {
            members = []
            problems = [.init(place: node.place, message: "\(path): needs keys and values, not \(node.kind)")]
        }
    }

    /// Reports keys that no declaration asked for.
    ///
    /// Call last.
    mutating func finish() {
        for member in members where !known.contains(member.key) {
            let near = nearestName(to: member.key, among: known).map { "; did you mean \(fullPath($0))?" } ?? ""
            problems.append(.init(place: member.place, message: "unknown key \(fullPath(member.key))\(near)"))
        }
    }

    /// Declares and reads a key.
    mutating func read<Value>(_ key: String, _ type: KeyType<Value>, _ standard: Value, _ meaning: String) -> Value {
        read(key, type, standard, shown: type.show(standard), meaning)
    }

    /// Declares and reads a key without a default; `placeholder` stands in where it is missing, which is a problem.
    mutating func readRequired<Value>(
        _ key: String,
        _ type: KeyType<Value>,
        placeholder: Value,
        _ meaning: String
    ) -> Value {
        if !members.contains(where: { $0.key == key }) {
            report(key, "is missing; it needs \(type.requirement)", at: place)
        }
        return read(key, type, placeholder, shown: "required", meaning)
    }

    /// Declares and reads a list of mappings, each by `body`.
    ///
    /// `standard` is the default, as YAML.
    mutating func readList<Element>(
        _ key: String,
        standard: String,
        _ meaning: String,
        body: (inout SectionReader) -> Element
    ) -> [Element] {
        known.append(key)
        let given = members.first { $0.key == key }?.value
        var list = given
        if given == nil { list = try? readYAML(standard, file: "default of \(fullPath(key))") }
        var elements: [Element] = []
        var shown: [String] = []
        if case .list(let nodes) = list?.content {
            for (index, node) in nodes.enumerated() {
                var reader = SectionReader(path: "\(fullPath(key))[\(index)]", node: node)
                elements.append(body(&reader))
                reader.finish()
                problems += reader.problems
                shown.append("{" + reader.records.map(\.line).joined(separator: ", ") + "}")
            }
        } else {
            report(key, "needs a list of mappings, not \(list?.kind ?? "nothing")", at: list?.place)
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
        _ = body(&template)
        elementRecords += template.records
        return elements
    }

    /// Its keys, then those of the sections in it.
    var allRecords: [KeyRecord] { records + sections.flatMap(\.allRecords) }

    /// Declares and reads a section.
    mutating func section<Section>(_ key: String, _ body: (inout SectionReader) -> Section) -> Section {
        known.append(key)
        var reader = SectionReader(path: fullPath(key), node: members.first { $0.key == key }?.value)
        let section = body(&reader)
        reader.finish()
        sections.append(reader)
        problems += reader.problems
        return section
    }

    private mutating func read<Value>(
        _ key: String,
        _ type: KeyType<Value>,
        _ standard: Value,
        shown: String,
        _ meaning: String
    ) -> Value {
        known.append(key)
        var value = standard
        if let node = members.first(where: { $0.key == key })?.value {
            if !node.isNull || type.nullable, let converted = type.convert(node) {
                value = converted
            } else {
                report(key, "needs \(type.requirement), not \(type.describe(node))", at: node.place)
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
                standard: shown,
                value: type.show(value)
            )
        )
        return value
    }

    /// Adds a problem of a key.
    private mutating func report(_ key: String, _ reason: String, at place: String?) {
        problems.append(.init(place: place, message: "\(fullPath(key)): \(reason)"))
    }

    /// `section.key`; the top level has no section.
    func fullPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
