import StrictJSON

/// Tokens that are matched as a whole, before the text around them is split.
struct AddedTokens: Sendable {
    struct Token: Sendable {
        let id: Int32
        let text: String
        /// Special tokens steer the model and are no text; others are words that were added to a vocabulary.
        let isSpecial: Bool
    }

    /// All of them, in the order of the file.
    let tokens: [Token]
    /// For each first byte, the tokens that begin with it, longest first.
    private let byFirstByte: [[(bytes: [UInt8], token: Token)]]
    private let hasOrdinary: Bool
    private let specialIDs: Set<Int32>

    init(_ tokens: [Token]) {
        self.tokens = tokens
        specialIDs = Set(tokens.filter(\.isSpecial).map(\.id))
        hasOrdinary = tokens.contains { !$0.isSpecial }
        var table = [[(bytes: [UInt8], token: Token)]](repeating: [], count: 256)
        let longestFirst = tokens.map { (bytes: Array($0.text.utf8), token: $0) }
            .sorted { ($1.bytes.count, $0.token.id) < ($0.bytes.count, $1.token.id) }
        for entry in longestFirst {
            guard let first = entry.bytes.first else { continue }
            table[Int(first)].append(entry)
        }
        byFirstByte = table
    }

    func id(of text: String) -> Int32? {
        tokens.first { ByteString($0.text) == ByteString(text) }?.id
    }

    func isSpecial(_ id: Int32) -> Bool {
        specialIDs.contains(id)
    }

    /// Calls `body` with the place and id of every added token, leftmost and then longest first, without overlaps.
    func forEachMatch(
        in bytes: [UInt8],
        specialTokens: Tokenizer.SpecialTokens,
        _ body: (Range<Int>, Int32) -> Void
    ) {
        let matchesSpecial = specialTokens == .recognised
        guard hasOrdinary || matchesSpecial && !tokens.isEmpty else { return }
        var at = 0
        while at < bytes.count {
            let match = byFirstByte[Int(bytes[at])].first { entry in
                (matchesSpecial || !entry.token.isSpecial) && bytes[at...].starts(with: entry.bytes)
            }
            if let match {
                body(at..<at + match.bytes.count, match.token.id)
                at += match.bytes.count
            } else {
                at += 1
            }
        }
    }
}
