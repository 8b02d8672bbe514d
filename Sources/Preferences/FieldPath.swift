import Failures

/// Where a value lies in a row of a foreign file: `info.post`, `annotations[].evaluator`, `turns[role=model].text`.
///
/// The grammar, which `docs/data-formats.md` explains: names joined by points, each followed by any number of `[]`
/// (every element of a list), `[2]` (one element, from 0) or `[role=model]` (those elements of which that is true),
/// and at the end a `?` where the value may be absent. `{path}` in a name stands for the value at that path. A name
/// with other marks than these stands between backticks.
struct FieldPath: Equatable, Sendable {
    enum Step: Equatable, Sendable {
        case name(TextPattern)
        case element(Int)
        case each([Condition])

        /// Those of a list's elements.
        var conditions: [Condition] { if case .each(let conditions) = self { conditions } else { [] } }
    }

    /// What an element's field must be.
    struct Condition: Equatable, Sendable {
        enum Relation: Equatable, Sendable { case equal, different, below }

        let name: String
        let relation: Relation
        /// Nil: `*`, the turn that is read.
        let value: String?

        /// Whether it holds for the elements of the turn that is read.
        var isOfTurn: Bool { value == nil && relation == .equal }
    }

    /// As it was written, without `?`.
    let text: String
    let steps: [Step]
    /// Whether what is absent counts as null.
    let isOptional: Bool

    /// Reads a path as a person writes it.
    ///
    /// - Throws: `Failure` 78 that says what is wrong with it.
    init(_ written: String) throws(Failure) {
        var parser = PathParser(written)
        steps = try parser.steps()
        isOptional = parser.isOptional
        text = isOptional ? String(written.dropLast()) : written
    }

    /// Whether it may have several values.
    var isList: Bool { steps.contains { if case .each = $0 { true } else { false } } }

    /// The name that it begins with, where that is always the same.
    var firstName: String? { if case .name(let pattern) = steps[0] { pattern.constant } else { nil } }

    /// The conditions of all its lists.
    var conditions: [Condition] { steps.flatMap(\.conditions) }
}

/// Text in which `{path}` stands for the value of a path.
struct TextPattern: Equatable, Sendable {
    enum Piece: Equatable, Sendable {
        case text(String)
        case value(FieldPath)
    }

    let pieces: [Piece]

    /// Reads text with values; `{{` is a brace.
    ///
    /// - Throws: `Failure` 78 where a brace has no partner, or a path is none.
    init(_ written: String) throws(Failure) {
        var pieces: [Piece] = []
        var rest = Substring(written)
        while let brace = rest.firstIndex(of: "{") {
            let after = rest.index(after: brace)
            pieces.append(.text(String(rest[..<brace])))
            if rest[after...].first == "{" {
                pieces.append(.text("{"))
                rest = rest[rest.index(after: after)...]
                continue
            }
            guard let end = rest[after...].firstIndex(of: "}") else {
                throw Failure(.configuration, "\"\(written)\" has a { without its }; write {{ for a brace")
            }
            pieces.append(.value(try FieldPath(String(rest[after..<end]))))
            rest = rest[rest.index(after: end)...]
        }
        pieces.append(.text(String(rest)))
        self.pieces = pieces.filter { $0 != .text("") }
    }

    /// The text, where it has no values.
    var constant: String? {
        switch pieces.count {
        case 0: return ""
        case 1: if case .text(let text) = pieces[0] { return text } else { return nil }
        default: return nil
        }
    }
}

private struct PathParser {
    private let written: String
    private var rest: Substring
    private(set) var isOptional = false

    init(_ written: String) {
        self.written = written
        rest = Substring(written)
        if rest.last == "?" {
            isOptional = true
            rest.removeLast()
        }
    }

    mutating func steps() throws(Failure) -> [FieldPath.Step] {
        var steps: [FieldPath.Step] = []
        while true {
            steps.append(.name(try name()))
            while rest.first == "[" { steps.append(try list()) }
            guard !rest.isEmpty else { return steps }
            guard rest.first == "." else { throw wrong("needs a point before \"\(rest)\"") }
            rest.removeFirst()
        }
    }

    private mutating func name() throws(Failure) -> TextPattern {
        if rest.first == "`" {
            guard let end = rest.dropFirst().firstIndex(of: "`") else { throw wrong("has one backtick") }
            let name = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            return try TextPattern(name.split(separator: "{", omittingEmptySubsequences: false).joined(separator: "{{"))
        }
        var end = rest.startIndex
        var depth = 0
        while end < rest.endIndex, depth > 0 || !".[]=<>!?`".contains(rest[end]) {
            depth += rest[end] == "{" ? 1 : rest[end] == "}" ? -1 : 0
            end = rest.index(after: end)
        }
        let name = String(rest[..<end])
        guard !name.isEmpty else { throw wrong("lacks a name") }
        rest = rest[end...]
        return try TextPattern(name)
    }

    private mutating func list() throws(Failure) -> FieldPath.Step {
        guard let end = rest.firstIndex(of: "]") else { throw wrong("has a [ without its ]") }
        let inside = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        if let index = Int(inside) {
            guard index >= 0 else { throw wrong("counts elements from 0") }
            return .element(index)
        }
        var conditions: [FieldPath.Condition] = []
        for part in inside.split(separator: ",", omittingEmptySubsequences: true) {
            conditions.append(try condition(part))
        }
        return .each(conditions)
    }

    private func condition(_ part: Substring) throws(Failure) -> FieldPath.Condition {
        guard let mark = part.firstIndex(where: { "=!<".contains($0) }) else {
            throw wrong("[\(part)] is neither a number nor a condition as [role=model]")
        }
        let isDifferent = part[mark] == "!"
        let value = part[part.index(after: mark)...].drop { isDifferent && $0 == "=" }
        let trimmed = String(value).trimmed
        guard !isDifferent || part[part.index(after: mark)...].first == "=" else { throw wrong("has a ! without =") }
        guard part[mark] != "<" || trimmed == "*" else { throw wrong("compares by < with * alone, as [turn<*]") }
        return FieldPath.Condition(
            name: String(part[..<mark]).trimmed,
            relation: isDifferent ? .different : part[mark] == "<" ? .below : .equal,
            value: trimmed == "*" ? nil : trimmed
        )
    }

    private func wrong(_ reason: String) -> Failure {
        Failure(.configuration, "the path \"\(written)\" \(reason)")
    }
}

extension String {
    /// Without spaces at its ends.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
