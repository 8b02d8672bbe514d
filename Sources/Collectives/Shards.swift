package import Failures

/// How items (users, prompts) are split into shards, and shards over ranks.
///
/// The split into shards depends on the number of shards alone, so a run is the same on any number of ranks.
package struct Shards: Equatable, Sendable {
    /// How many shards there are.
    package let count: Int
    /// How many ranks host them.
    package let ranks: Int

    /// Splits a run; every rank must have at least one shard, or it throws a `Failure` about the key `shards`.
    package init(count: Int, ranks: Int) throws(Failure) {
        precondition(ranks >= 1, "a run has at least one rank; this has \(ranks)")
        guard count >= ranks else {
            throw Failure(
                .configuration,
                "\(count) shards cannot occupy \(ranks) ranks; set shards to \(ranks) or more, or start fewer ranks",
                at: "shards"
            )
        }
        self.count = count
        self.ranks = ranks
    }

    /// The contiguous run of shards that a rank hosts; lengths differ by at most one between ranks.
    package func hosted(by rank: Int) -> Range<Int> {
        precondition((0..<ranks).contains(rank), "rank \(rank) is not one of \(ranks)")
        return (rank * count / ranks)..<((rank + 1) * count / ranks)
    }

    /// The items of one shard out of `total`, in order.
    package func items(of shard: Int, total: Int) -> [Int] {
        precondition((0..<count).contains(shard), "shard \(shard) is not one of \(count)")
        return Array(stride(from: shard, to: total, by: count))
    }
}
