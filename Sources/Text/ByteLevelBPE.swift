/// GPT-2's scheme: text is split into words, a word is its UTF-8 bytes, and bytes are merged to tokens.
struct ByteLevelBPE: TokenScheme {
    /// The token of each single byte; nil: the byte has none and is left out, as `tokenizers` leaves it out.
    let byteTokens: [Int32?]
    let merges: MergeTable
    var split = WordSplit.gpt2
    /// Whether a text that does not begin with a space is read as if it did.
    var addsPrefixSpace = false
    /// Whether text is brought to Unicode's form NFC first (Qwen2).
    var composes = false
    /// Words that are a token as they are, whatever their merges would give (`ignore_merges`); empty: none.
    var wholeWords: [[UInt8]: Int32] = [:]
    private let cache = SharedWordCache()

    /// No token stands for the beginning of a text.
    let dropsLeadingSpace = false

    init(byteTokens: [Int32?], merges: MergeTable) {
        self.byteTokens = byteTokens
        self.merges = merges
    }

    func encode(_ bytes: [UInt8], at location: TextPlace, appendingTo ids: inout [Int32]) {
        guard !bytes.isEmpty else { return }
        let space = UInt8(ascii: " ")
        var text = bytes
        if composes, let string = String(validating: bytes, as: UTF8.self) {
            text = Array(canonicallyComposed(string).utf8)
        }
        if addsPrefixSpace, location != .continuation, text[0] != space { text.insert(space, at: 0) }
        cache.withCache { cache in encode(text, appendingTo: &ids, &cache) }
    }

    private func encode(_ bytes: [UInt8], appendingTo ids: inout [Int32], _ cache: inout WordCache) {
        var word: [Int32] = []
        var start = 0
        while start < bytes.count {
            let end = split.endOfWord(in: bytes, from: start)
            let key = end - start <= WordCache.longestWord ? WordCache.Key(bytes, start..<end) : nil
            if let key, cache.append(key, to: &ids) {
                start = end
                continue
            }
            word.removeAll(keepingCapacity: true)
            if !wholeWords.isEmpty, let token = wholeWords[Array(bytes[start..<end])] {
                word.append(token)
            } else {
                for i in start..<end {
                    if let token = byteTokens[Int(bytes[i])] { word.append(token) }
                }
                BytePairMerging.merge(&word, merges)
            }
            if let key { cache.insert(key, word[...]) }
            ids.append(contentsOf: word)
            start = end
        }
    }
}
