/// A pattern of text with slots in braces: `the {part} is {judgement}`.
struct Template: Sendable {
    enum Piece: Equatable, Sendable {
        case literal(String)
        case slot(String)
    }

    let pieces: [Piece]

    init(_ text: String) {
        var pieces: [Piece] = []
        for part in text.split(separator: "{", omittingEmptySubsequences: false) {
            guard let end = part.firstIndex(of: "}") else {
                if !part.isEmpty { pieces.append(.literal(String(part))) }
                continue
            }
            pieces.append(.slot(String(part[..<end])))
            let rest = part[part.index(after: end)...]
            if !rest.isEmpty { pieces.append(.literal(String(rest))) }
        }
        self.pieces = pieces
    }
}

/// Writes `an` for `a` before a vowel sound, and a capital at the start.
func sentence(_ text: String) -> String {
    var words = text.split(separator: " ").map(String.init)
    for index in words.indices.dropLast() where words[index] == "a" && startsWithVowelSound(words[index + 1]) {
        words[index] = "an"
    }
    let joined = words.joined(separator: " ")
    return joined.prefix(1).uppercased() + joined.dropFirst()
}

private func startsWithVowelSound(_ word: String) -> Bool {
    let lowercased = word.lowercased()
    if ["use", "usu", "uni", "eu", "one"].contains(where: lowercased.hasPrefix) { return false }
    if ["hour", "honest", "heir"].contains(where: lowercased.hasPrefix) { return true }
    return lowercased.first.map { "aeiou".contains($0) } ?? false
}
