package import Failures
package import StrictJSON
import StrictYAML

/// How rows of a foreign file become rows of our own form: our fields, and where each lies there.
///
/// The value of `data.fields`: an object, or a list of objects of which each makes comparisons of every row.
package struct FieldMapping: Equatable, Sendable {
    /// As it was written.
    package let json: JSONValue
    let parts: [MappedFields]

    /// Reads a mapping.
    ///
    /// - Throws: `Failure` 78 that names the field and what is wrong with it.
    package init(_ json: JSONValue) throws(Failure) {
        self.json = json
        var parts: [MappedFields] = []
        for part in json.array ?? [json] {
            guard let object = part.object else {
                throw Failure(.configuration, "needs names of fields and where they are, not \(part.kind)")
            }
            parts.append(try MappedFields(object))
        }
        guard !parts.isEmpty else { throw Failure(.configuration, "is an empty list") }
        self.parts = parts
    }

    /// Whether a field at the top of a row is read.
    package func reads(_ name: String) -> Bool { paths.contains { $0.text == name || $0.firstName == name } }

    /// The fields at the top of a row that must be there.
    var requiredNames: Set<String> { Set(paths.filter { !$0.isOptional }.compactMap(\.firstName)) }

    private var paths: [FieldPath] { parts.flatMap(\.values).flatMap(\.value.allPaths) }

    /// Which foreign field each of ours is filled from, one line each.
    package var lines: [String] {
        parts.flatMap { part in part.values.map { "\($0.key) ← \($0.value.text)" } }
    }
}

extension FieldMapping {
    /// Our fields, which a mapping may fill.
    package static var ownFields: [String] { MappedFields.known }
}

/// One object of a mapping.
struct MappedFields: Equatable, Sendable {
    /// Our fields that may be mapped.
    static let known = [
        "user_id", "group", "prompt", "chosen", "rejected", "responses", "ranking", "choice", "scores", "tie",
    ]
    /// Of these, lists of values; the others are one value of a comparison.
    static let lists = ["prompt", "responses", "ranking", "scores"]

    /// What a word of `choice` means.
    enum Choice: Equatable, Sendable {
        case response(Int)
        case tie
        /// No answer.
        case none
    }

    /// Which list makes several comparisons of a row.
    enum Loop: Equatable, Sendable {
        /// Each element of the list that these steps lead to.
        case elements([FieldPath.Step])
        /// Each value that a field has in the elements of the list that these steps lead to.
        case turns([FieldPath.Step], field: String)
    }

    /// In the order of `known`.
    let values: [(key: String, value: MappedValue)]
    let choices: [(word: String, meaning: Choice)]
    /// Texts that count as null.
    let missing: [String]
    let loop: Loop?

    init(_ object: JSONObject) throws(Failure) {
        let keys = Self.known + ["choices", "missing"]
        for key in object.keys where !keys.contains(key) {
            throw Failure(.configuration, "has no field \"\(key)\"\(remedy(for: key, among: keys))")
        }
        var values: [(key: String, value: MappedValue)] = []
        for key in Self.known {
            guard let json = object[key] else { continue }
            do throws(Failure) {
                values.append((key, try MappedValue(json)))
            } catch {
                throw Failure(.configuration, "\(key): \(error.message)")
            }
        }
        guard !values.isEmpty else {
            throw Failure(.configuration, "maps none of: \(Self.known.joined(separator: ", "))")
        }
        self.values = values
        choices = try Self.choices(object["choices"] ?? [:])
        guard let missing = (object["missing"] ?? []).array?.map(\.plainText) as? [String] else {
            throw Failure(.configuration, "missing: needs a list of texts")
        }
        self.missing = missing
        loop = try Self.loop(of: values)
    }

    static func == (a: Self, b: Self) -> Bool {
        a.values.elementsEqual(b.values, by: ==) && a.choices.elementsEqual(b.choices, by: ==)
            && a.missing == b.missing && a.loop == b.loop
    }

    func value(_ key: String) -> MappedValue? { values.first { $0.key == key }?.value }

    private static func choices(_ json: JSONValue) throws(Failure) -> [(word: String, meaning: Choice)] {
        guard let object = json.object else {
            throw Failure(.configuration, "choices: needs words and what they mean, not \(json.kind)")
        }
        var choices: [(word: String, meaning: Choice)] = []
        for (word, meaning) in object.members {
            let text = meaning.plainText
            if let index = text.flatMap({ Int($0) }), (0..<64).contains(index) {
                choices.append((word, .response(index)))
            } else if text == "tie" || meaning.isNull {
                choices.append((word, meaning.isNull ? .none : .tie))
            } else {
                let message = "choices: \"\(word)\" must mean the index of a response from 0, tie or null"
                throw Failure(.configuration, "\(message), not \(text.map { "\"\($0)\"" } ?? meaning.kind)")
            }
        }
        return choices
    }

    /// The list that makes comparisons: that of `*`, or the one that the path of a single value goes through.
    private static func loop(of values: [(key: String, value: MappedValue)]) throws(Failure) -> Loop? {
        var loops: [(key: String, loop: Loop)] = []
        for (key, value) in values {
            for path in value.paths {
                let turn = path.steps.firstIndex { $0.conditions.contains(where: \.isOfTurn) }
                if let turn, let field = path.conditions.first(where: \.isOfTurn)?.name {
                    loops.append((key, .turns(Array(path.steps[..<turn]), field: field)))
                } else if !lists.contains(key), path.isList {
                    let at = path.steps.firstIndex { if case .each = $0 { true } else { false } } ?? 0
                    loops.append((key, .elements(Array(path.steps[...at]))))
                }
            }
        }
        let isTurns = loops.contains { if case .turns = $0.loop { true } else { false } }
        let starred = values.flatMap(\.value.paths).first { $0.conditions.contains { $0.value == nil } }
        if let starred, !isTurns {
            throw Failure(.configuration, "\"\(starred.text)\" has a *, but no path has a list with =*")
        }
        guard let first = loops.first else { return nil }
        for other in loops.dropFirst() where other.loop != first.loop {
            throw Failure(.configuration, "\(first.key) and \(other.key) go through different lists; they need one")
        }
        for (key, value) in values where !lists.contains(key) {
            for path in value.paths where first.loop.leaves(path) {
                throw Failure(.configuration, "\(key): \"\(path.text)\" has several values in a comparison")
            }
        }
        return first.loop
    }
}

extension MappedFields.Loop {
    /// Whether a path still has several values in one comparison.
    fileprivate func leaves(_ path: FieldPath) -> Bool {
        switch self {
        case .elements(let steps):
            let rest = path.steps.starts(with: steps) ? path.steps.dropFirst(steps.count) : path.steps[...]
            return rest.contains { if case .each = $0 { true } else { false } }
        // Of a turn, one value: reading it says so where there are several.
        case .turns: return false
        }
    }
}

/// What fills a field: a path, a text with paths in it, or a list of these.
enum MappedValue: Equatable, Sendable {
    case path(FieldPath)
    case text(TextPattern, String)
    case list([MappedValue])

    init(_ json: JSONValue) throws(Failure) {
        switch json {
        case .string(let text) where text.first == "=": self = .text(try TextPattern(String(text.dropFirst())), text)
        case .string(let text): self = .path(try FieldPath(text))
        case .array(let elements):
            var values: [MappedValue] = []
            for element in elements { values.append(try MappedValue(element)) }
            guard !values.isEmpty else { throw Failure(.configuration, "is an empty list") }
            self = .list(values)
        default: throw Failure(.configuration, "needs a path, a text that begins with =, or a list, not \(json.kind)")
        }
    }

    /// The paths in it.
    var paths: [FieldPath] {
        switch self {
        case .path(let path): [path]
        case .text(let pattern, _):
            pattern.pieces.compactMap { if case .value(let path) = $0 { path } else { nil } }
        case .list(let values): values.flatMap(\.paths)
        }
    }

    /// The paths in it, and those that stand in names of these.
    fileprivate var allPaths: [FieldPath] {
        paths
            + paths.flatMap(\.steps).flatMap { step -> [FieldPath] in
                if case .name(let pattern) = step { MappedValue.text(pattern, "").paths } else { [] }
            }
    }

    /// As it was written.
    var text: String {
        switch self {
        case .path(let path): path.text
        case .text(_, let written): printableStart(written)
        case .list(let values): values.map(\.text).joined(separator: ", ")
        }
    }
}

/// The first line of a text.
private func printableStart(_ text: String) -> String {
    let line = text.prefix { $0 != "\n" }
    return line.count < text.count ? "\(line) …" : text
}
