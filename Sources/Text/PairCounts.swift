/// How often each pair of neighbouring tokens occurs in a corpus, kept up to date as pairs are merged: a merge visits
/// only the words that contain its pair.
struct PairCounts {
    private var words: [(tokens: [Int32], count: Int)]
    private var counts: [TokenPair: Int] = [:]
    /// Words in which a pair occurs or once occurred, ascending within each visit.
    private var occurrences: [TokenPair: [Int32]] = [:]
    private var queue = PairQueue()

    init(words: [(tokens: [Int32], count: Int)]) {
        self.words = words
        for (position, word) in words.enumerated() {
            for i in 1..<max(1, word.tokens.count) {
                add(TokenPair(left: word.tokens[i - 1], right: word.tokens[i]), word.count, in: Int32(position))
            }
        }
        // The order of the dictionary does not matter: the queue's order is total.
        for (pair, count) in counts { queue.push(pair, order: -count) }
    }

    /// Takes the most frequent pair, ties to the lower ids; nil when no word has two tokens.
    mutating func popMostFrequent() -> (left: Int32, right: Int32, count: Int)? {
        while let entry = queue.pop() {
            let count = counts[entry.pair] ?? 0
            guard count > 0 else { continue }
            // The count may have changed since the pair was queued.
            if entry.order == -count { return (entry.pair.left, entry.pair.right, count) }
            queue.push(entry.pair, order: -count)
        }
        return nil
    }

    /// Replaces the pair by `token` in every word and corrects the counts of the pairs around it.
    mutating func merge(_ left: Int32, _ right: Int32, into token: Int32) {
        let merged = TokenPair(left: left, right: right)
        let positions = occurrences.removeValue(forKey: merged) ?? []
        counts[merged] = nil
        var grown: [TokenPair] = []
        for position in positions {
            merge(merged, into: token, in: position, &grown)
        }
        // Whatever overlaps itself ("aaa") leaves a count behind, though the pair is gone.
        counts[merged] = nil
        var queued: Set<TokenPair> = []
        for pair in grown where queued.insert(pair).inserted {
            if let count = counts[pair] { queue.push(pair, order: -count) }
        }
    }

    private mutating func merge(_ pair: TokenPair, into token: Int32, in position: Int32, _ grown: inout [TokenPair]) {
        let count = words[Int(position)].count
        let old = words[Int(position)].tokens
        var new: [Int32] = []
        new.reserveCapacity(old.count)
        var i = 0
        while i < old.count {
            guard i + 1 < old.count, old[i] == pair.left, old[i + 1] == pair.right else {
                new.append(old[i])
                i += 1
                continue
            }
            if let before = new.last {
                add(TokenPair(left: before, right: pair.left), -count, in: position)
                add(TokenPair(left: before, right: token), count, in: position)
                grown.append(TokenPair(left: before, right: token))
            }
            if i + 2 < old.count {
                add(TokenPair(left: pair.right, right: old[i + 2]), -count, in: position)
                add(TokenPair(left: token, right: old[i + 2]), count, in: position)
                grown.append(TokenPair(left: token, right: old[i + 2]))
            }
            new.append(token)
            i += 2
        }
        words[Int(position)].tokens = new
    }

    private mutating func add(_ pair: TokenPair, _ count: Int, in position: Int32) {
        counts[pair, default: 0] += count
        if count > 0, occurrences[pair]?.last != position { occurrences[pair, default: []].append(position) }
    }
}
