/// Byte-pair encoding of one word: the best-ranked pair of neighbours is merged, leftmost first, until none merges.
///
/// Sennrich, Haddow and Birch 2016, arXiv 1508.07909.
enum BytePairMerging {
    /// Up to this length, scanning for the best pair beats keeping a heap.
    private static let longestScanned = 64

    /// Merges the tokens of one word in place.
    static func merge(_ tokens: inout [Int32], _ merges: MergeTable) {
        guard tokens.count > 1 else { return }
        if tokens.count <= longestScanned {
            mergeByScanning(&tokens, merges)
        } else {
            mergeByHeap(&tokens, merges)
        }
    }

    /// O(n²) comparisons, but only O(n) table lookups: the ranks of neighbours are kept.
    static func mergeByScanning(_ tokens: inout [Int32], _ merges: MergeTable) {
        func lookup(_ i: Int) -> MergeTable.Merge? {
            i >= 0 && i + 1 < tokens.count ? merges.merge(tokens[i], tokens[i + 1]) : nil
        }
        var candidates = tokens.indices.map(lookup)
        while true {
            var best: Int?
            var bestRank = Int32.max
            for i in candidates.indices {
                if let candidate = candidates[i], candidate.rank < bestRank {
                    best = i
                    bestRank = candidate.rank
                }
            }
            guard let best, let merge = candidates[best] else { return }
            tokens[best] = merge.token
            tokens.remove(at: best + 1)
            candidates.remove(at: best + 1)
            candidates[best] = lookup(best)
            if best > 0 { candidates[best - 1] = lookup(best - 1) }
        }
    }

    /// O(n log n), for the megabyte without a space.
    static func mergeByHeap(_ tokens: inout [Int32], _ merges: MergeTable) {
        // A doubly linked list over the positions; a position that was merged away holds -1.
        let count = tokens.count
        var previous = (0..<count).map { $0 - 1 }
        var next = (0..<count).map { $0 + 1 }
        var queue = PairQueue()
        func push(_ i: Int) {
            guard i >= 0, next[i] < count, let merge = merges.merge(tokens[i], tokens[next[i]]) else { return }
            // Rank first, then position, both below 2³¹.
            queue.push(TokenPair(left: tokens[i], right: tokens[next[i]]), order: Int(merge.rank) << 32 | i)
        }
        for i in 0..<count { push(i) }
        while let entry = queue.pop() {
            let i = entry.order & 0xFFFF_FFFF
            let j = next[i]
            // Skipped where a neighbour has been merged since.
            guard tokens[i] == entry.pair.left, j < count, tokens[j] == entry.pair.right,
                let merge = merges.merge(tokens[i], tokens[j])
            else { continue }
            tokens[i] = merge.token
            tokens[j] = -1
            next[i] = next[j]
            if next[j] < count { previous[next[j]] = i }
            push(i)
            push(previous[i])
        }
        tokens.removeAll { $0 < 0 }
    }
}
