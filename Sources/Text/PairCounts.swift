/// How often each pair of neighbouring tokens occurs in a corpus, kept up to date as pairs are merged: a merge visits only
/// the words that contain its pair.
struct PairCounts {
    /// A pair of tokens.
    struct Pair: Hashable {
        let left: Int32
        let right: Int32
    }

    /// A pair and the count it had when it was queued; stale when the count has changed since.
    private struct Entry: Comparable {
        let count: Int
        let pair: Pair

        static func < (a: Entry, b: Entry) -> Bool {
            (b.count, a.pair.left, a.pair.right) < (a.count, b.pair.left, b.pair.right)
        }
    }

    private var words: [(tokens: [Int32], count: Int)]
    private var counts: [Pair: Int] = [:]
    /// Words in which a pair occurs or once occurred, ascending within each visit.
    private var occurrences: [Pair: [Int32]] = [:]
    private var queue = BinaryHeap<Entry>()

    init(words: [(tokens: [Int32], count: Int)]) {
        self.words = words
        for (position, word) in words.enumerated() {
            for i in 1..<max(1, word.tokens.count) {
                add(Pair(left: word.tokens[i - 1], right: word.tokens[i]), word.count, in: Int32(position))
            }
        }
        // The order of the dictionary does not matter: the queue's order is total.
        for (pair, count) in counts { queue.push(Entry(count: count, pair: pair)) }
    }

    /// Takes the most frequent pair, ties to the lower ids; nil when no word has two tokens.
    mutating func popMostFrequent() -> (left: Int32, right: Int32, count: Int)? {
        while let entry = queue.pop() {
            let count = counts[entry.pair] ?? 0
            guard count > 0 else { continue }
            if entry.count == count { return (entry.pair.left, entry.pair.right, count) }
            queue.push(Entry(count: count, pair: entry.pair))
        }
        return nil
    }

    /// Replaces the pair by `token` in every word and corrects the counts of the pairs around it.
    mutating func merge(_ left: Int32, _ right: Int32, into token: Int32) {
        let merged = Pair(left: left, right: right)
        let positions = occurrences.removeValue(forKey: merged) ?? []
        counts[merged] = nil
        var grown: [Pair] = []
        for position in positions {
            merge(merged, into: token, in: position, &grown)
        }
        // Whatever overlaps itself ("aaa") leaves a count behind, though the pair is gone.
        counts[merged] = nil
        var queued: Set<Pair> = []
        for pair in grown where queued.insert(pair).inserted {
            if let count = counts[pair] { queue.push(Entry(count: count, pair: pair)) }
        }
    }

    private mutating func merge(_ pair: Pair, into token: Int32, in position: Int32, _ grown: inout [Pair]) {
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
                add(Pair(left: before, right: pair.left), -count, in: position)
                add(Pair(left: before, right: token), count, in: position)
                grown.append(Pair(left: before, right: token))
            }
            if i + 2 < old.count {
                add(Pair(left: pair.right, right: old[i + 2]), -count, in: position)
                add(Pair(left: token, right: old[i + 2]), count, in: position)
                grown.append(Pair(left: token, right: old[i + 2]))
            }
            new.append(token)
            i += 2
        }
        words[Int(position)].tokens = new
    }

    private mutating func add(_ pair: Pair, _ count: Int, in position: Int32) {
        counts[pair, default: 0] += count
        if count > 0, occurrences[pair]?.last != position { occurrences[pair, default: []].append(position) }
    }
}
