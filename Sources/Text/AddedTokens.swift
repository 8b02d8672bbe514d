import StrictJSON

/// Tokens that are matched as a whole, before the text around them is split.
struct AddedTokens: Sendable {
    struct Token: Sendable {
        let id: Int32
        let text: String
        /// Special tokens steer the model and are no text; others are words that were added to a vocabulary.
        let isSpecial: Bool
    }

    /// Bytes of the longest text that a token may have: what a text costs, at worst, for each of its bytes.
    static let longestText = 1024

    /// All of them, in the order of the file.
    let tokens: [Token]
    private let ids: [ByteString: Int32]
    private let specialIDs: Set<Int32>
    private let all: TokenTexts
    private let ordinary: TokenTexts

    init(_ tokens: [Token]) {
        self.tokens = tokens
        ids = Dictionary(tokens.map { (ByteString($0.text), $0.id) }) { first, _ in first }
        specialIDs = Set(tokens.filter(\.isSpecial).map(\.id))
        all = TokenTexts(tokens)
        ordinary = TokenTexts(tokens.filter { !$0.isSpecial })
    }

    func id(of text: String) -> Int32? {
        ids[ByteString(text)]
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
        let texts = specialTokens == .recognized ? all : ordinary
        guard !texts.isEmpty else { return }
        var at = 0
        while at < bytes.count {
            if let (end, id) = texts.longestMatch(in: bytes, at: at) {
                body(at..<end, id)
                at = end
            } else {
                at += 1
            }
        }
    }
}

/// Texts of tokens in the order of their bytes, in which those that begin alike stand together.
private struct TokenTexts {
    private let texts: [(bytes: [UInt8], id: Int32)]
    /// Where the texts are that begin with each byte.
    private let byFirstByte: [Range<Int>]

    var isEmpty: Bool { texts.isEmpty }

    init(_ tokens: [AddedTokens.Token]) {
        let texts = tokens.map { (bytes: Array($0.text.utf8), id: $0.id) }.filter { !$0.bytes.isEmpty }
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        self.texts = texts
        var ranges = [Range<Int>](repeating: 0..<0, count: 256)
        for (index, text) in texts.enumerated() {
            let first = Int(text.bytes[0])
            ranges[first] = (ranges[first].isEmpty ? index : ranges[first].lowerBound)..<index + 1
        }
        byFirstByte = ranges
    }

    /// The longest text that stands at a place: where it ends, and its token.
    ///
    /// The texts that agree so far are a range, which each further byte narrows; of those that end here the first has
    /// the range's lower bound.
    func longestMatch(in bytes: [UInt8], at start: Int) -> (end: Int, id: Int32)? {
        var range = byFirstByte[Int(bytes[start])]
        var match: (end: Int, id: Int32)?
        var length = 1
        while !range.isEmpty {
            if texts[range.lowerBound].bytes.count == length {
                match = (start + length, texts[range.lowerBound].id)
                range = range.lowerBound + 1..<range.upperBound
            }
            guard start + length < bytes.count else { break }
            let next = Int(bytes[start + length])
            let lower = firstIndex(in: range) { texts[$0].bytes[length] >= next }
            range = lower..<firstIndex(in: lower..<range.upperBound) { texts[$0].bytes[length] > next }
            length += 1
        }
        return match
    }

    /// The first index of a range for which a condition holds that, once it holds, holds for all that follow; its end
    /// where it never does.
    private func firstIndex(in range: Range<Int>, where holds: (Int) -> Bool) -> Int {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper {
            let middle = (lower + upper) / 2
            if holds(middle) { upper = middle } else { lower = middle + 1 }
        }
        return lower
    }
}
