/// SentencePiece's scheme as Llama 2 and Mistral use it: spaces are written `▁`, characters are merged to tokens, and a
/// character that the vocabulary lacks is its UTF-8 bytes (`<0xE2>`).
///
/// Kudo & Richardson, arXiv 1808.06226.
struct SentencePieceBPE: TokenScheme {
    /// When a `▁` is put before a text.
    enum PrefixSpace {
        case never
        /// Before every stretch of text between added tokens.
        case always
        /// The same, unless a space is there.
        case unlessPresent
        /// At the beginning of a text, unless a space is there.
        case first
    }

    /// UTF-8 of `▁`, U+2581.
    static let space: [UInt8] = [0xE2, 0x96, 0x81]

    /// The token of each character that has one.
    let characterTokens: [[UInt8]: Int32]
    /// The token of each single byte.
    let byteTokens: [Int32]
    let merges: MergeTable
    let prefixSpace: PrefixSpace
    /// Whether no token has a `▁` after anything else: merges then never cross the beginning of a word, so words can be
    /// merged, and remembered, one by one.
    let splitsWords: Bool
    private let cache = SharedWordCache()

    var dropsLeadingSpace: Bool { prefixSpace != .never }

    init(
        characterTokens: [[UInt8]: Int32],
        byteTokens: [Int32],
        merges: MergeTable,
        prefixSpace: PrefixSpace,
        splitsWords: Bool
    ) {
        self.characterTokens = characterTokens
        self.byteTokens = byteTokens
        self.merges = merges
        self.prefixSpace = prefixSpace
        self.splitsWords = splitsWords
    }

    func encode(_ bytes: [UInt8], at location: TextPlace, appendingTo ids: inout [Int32]) {
        guard let first = bytes.first else { return }
        let space = UInt8(ascii: " ")
        let hasSpace = first == space || bytes.starts(with: Self.space)
        let adds =
            switch prefixSpace {
            case .never: false
            case .always: location != .continuation
            case .unlessPresent: location != .continuation && !hasSpace
            case .first: location == .beginning && !hasSpace
            }
        var text = adds ? Self.space : []
        text.reserveCapacity(bytes.count + bytes.count / 2)
        for byte in bytes {
            if byte == space { text += Self.space } else { text.append(byte) }
        }
        cache.withCache { cache in encode(text, appendingTo: &ids, &cache) }
    }

    private func encode(_ bytes: [UInt8], appendingTo ids: inout [Int32], _ cache: inout WordCache) {
        var start = 0
        while start < bytes.count {
            let end = splitsWords ? Self.endOfWord(in: bytes, from: start) : bytes.count
            let key = end - start <= WordCache.longestWord ? WordCache.Key(bytes, start..<end) : nil
            if let key, cache.append(key, to: &ids) {
                start = end
                continue
            }
            var word = characters(of: bytes[start..<end])
            BytePairMerging.merge(&word, merges)
            if let key { cache.insert(key, word[...]) }
            ids.append(contentsOf: word)
            start = end
        }
    }

    /// After the spaces at `start` and what follows them up to the next space.
    private static func endOfWord(in bytes: [UInt8], from start: Int) -> Int {
        func isSpace(_ at: Int) -> Bool { bytes[at] == space[0] && bytes[at...].starts(with: space) }
        var end = start
        while end < bytes.count, isSpace(end) { end += space.count }
        while end < bytes.count, !isSpace(end) { end += 1 }
        return end
    }

    /// The token of each character, or the tokens of its bytes.
    private func characters(of bytes: ArraySlice<UInt8>) -> [Int32] {
        var tokens: [Int32] = []
        var start = bytes.startIndex
        while start < bytes.endIndex {
            // A byte that begins no character is one by itself.
            let length = bytes[start] < 0x80 ? 1 : bytes[start] >= 0xF0 ? 4 : bytes[start] >= 0xE0 ? 3 : 2
            let end = min(start + length, bytes.endIndex)
            if let token = characterTokens[Array(bytes[start..<end])] {
                tokens.append(token)
                start = end
            } else {
                tokens.append(byteTokens[Int(bytes[start])])
                start += 1
            }
        }
        return tokens
    }
}
