/// Two neighboring tokens, ordered by the left and then by the right id.
struct TokenPair: Hashable, Comparable, Sendable {
    let left: Int32
    let right: Int32

    static func < (a: TokenPair, b: TokenPair) -> Bool {
        a.left != b.left ? a.left < b.left : a.right < b.right
    }
}

/// A priority queue of pairs (a binary heap): the lowest order comes first, ties by the pair.
///
/// Not generic, so that it is specialized in debug builds too.
struct PairQueue {
    struct Entry {
        let order: Int
        let pair: TokenPair

        fileprivate func precedes(_ other: Entry) -> Bool {
            order != other.order ? order < other.order : pair < other.pair
        }
    }

    private var entries: [Entry] = []

    mutating func push(_ pair: TokenPair, order: Int) {
        entries.append(Entry(order: order, pair: pair))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].precedes(entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in 2 * parent + 1...2 * parent + 2
            where child < entries.count && entries[child].precedes(entries[smallest]) {
                smallest = child
            }
            guard smallest != parent else { return first }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
