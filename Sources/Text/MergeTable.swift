/// Which two tokens may be joined, into which, and in what order of preference.
struct MergeTable: Sendable {
    /// Left and right token of every merge, best first.
    private(set) var pairs: [TokenPair] = []
    private var table: [TokenPair: Merge] = [:]

    /// The outcome of joining two tokens.
    struct Merge {
        let rank: Int32
        let token: Int32
    }

    init(capacity: Int) {
        pairs.reserveCapacity(capacity)
        table.reserveCapacity(capacity)
    }

    /// Adds the merge of the next rank; a pair that was added before takes the later rank, as in `tokenizers`.
    mutating func append(_ left: Int32, _ right: Int32, into token: Int32) {
        table[TokenPair(left: left, right: right)] = Merge(rank: Int32(pairs.count), token: token)
        pairs.append(TokenPair(left: left, right: right))
    }

    /// How the two tokens merge, or nil where they do not.
    func merge(_ left: Int32, _ right: Int32) -> Merge? {
        table[TokenPair(left: left, right: right)]
    }
}
