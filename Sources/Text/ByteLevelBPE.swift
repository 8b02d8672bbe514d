import Synchronization

/// GPT-2's scheme: text is split into words, a word is its UTF-8 bytes, and bytes are merged to tokens.
struct ByteLevelBPE: TokenScheme {
    /// The token of each single byte.
    let byteTokens: [Int32]
    let merges: MergeTable
    /// Whether a text that does not begin with a space is read as if it did.
    let addsPrefixSpace: Bool
    private let cache = SharedWordCache()

    init(byteTokens: [Int32], merges: MergeTable, addsPrefixSpace: Bool) {
        self.byteTokens = byteTokens
        self.merges = merges
        self.addsPrefixSpace = addsPrefixSpace
    }

    func encode(_ bytes: [UInt8], appendingTo ids: inout [Int32]) {
        guard !bytes.isEmpty else { return }
        let space = UInt8(ascii: " ")
        let text = addsPrefixSpace && bytes[0] != space ? [space] + bytes : bytes
        cache.withCache { cache in encode(text, appendingTo: &ids, &cache) }
    }

    private func encode(_ bytes: [UInt8], appendingTo ids: inout [Int32], _ cache: inout WordCache) {
        var word: [Int32] = []
        var start = 0
        while start < bytes.count {
            let end = WordSplit.endOfWord(in: bytes, from: start)
            let key = end - start <= WordCache.longestWord ? WordCache.Key(bytes, start..<end) : nil
            if let key, cache.append(key, to: &ids) {
                start = end
                continue
            }
            word.removeAll(keepingCapacity: true)
            for i in start..<end { word.append(byteTokens[Int(bytes[i])]) }
            BytePairMerging.merge(&word, merges)
            if let key { cache.insert(key, word[...]) }
            ids.append(contentsOf: word)
            start = end
        }
    }
}

/// One cache for all copies of a tokenizer; a thread that finds it in use works without.
private final class SharedWordCache: Sendable {
    private let cache = Mutex(WordCache())

    func withCache(_ body: (inout WordCache) -> Void) {
        let used: Void? = cache.withLockIfAvailable { body(&$0) }
        if used == nil {
            var empty = WordCache()
            body(&empty)
        }
    }
}
