import Collectives
import Failures
import Foundation
import Preferences

/// The users of a run: the comparisons of those that this rank hosts, and the roster of all.
///
/// Sums over users are formed per shard and then over shards in order, and every shard lies on one rank, so they have
/// the same bits on any number of ranks.
struct ShardedUsers {
    /// A user of this rank, and where they are in `members`.
    typealias Local = (index: Int, user: ShardedUser)

    /// All ranks' users, sorted by the UTF-8 bytes of their ids: the order of every matrix over users.
    let members: [UserInfo]
    /// This rank's users by shard, shards ascending, users in the order of `members`.
    let localShards: [(shard: Int, users: [Local])]
    /// Shards are 0 ..< shardCount.
    let shardCount: Int
    /// The order of sums over those shards that have users.
    let tree: ShardTree
    let communicator: any Communicator

    /// The responsibilities of a single model.
    var everyoneInOneGroup: [[Double]] { Array(repeating: [1], count: members.count) }

    /// Exchanges the roster.
    ///
    /// Throws `badData` on all ranks where an id occurs twice, or a shard on two ranks.
    init(_ users: [ShardedUser], over communicator: any Communicator) throws {
        self.communicator = communicator
        let gathered = try communicator.allGather(Array(JSONEncoder().encode(users.map { UserInfo($0) })))
        let perRank = try gathered.map { try JSONDecoder().decode([UserInfo].self, from: Data($0)) }
        members = perRank.joined().sorted { precedes($0.id, $1.id) }
        for (first, second) in zip(members, members.dropFirst()) where first.id.utf8.elementsEqual(second.id.utf8) {
            throw Failure(.badData, "user id \"\(first.id)\" occurs twice; each user's comparisons belong together")
        }
        shardCount = (members.map(\.shard).max() ?? -1) + 1
        var host = Array(repeating: -1, count: shardCount)
        for (rank, roster) in perRank.enumerated() {
            for user in roster {
                precondition(user.shard >= 0, "shards are numbered from 0")
                precondition(host[user.shard] < 0 || host[user.shard] == rank, "a shard lies on one rank")
                host[user.shard] = rank
            }
        }
        tree = ShardTree(hostedCounts: perRank.indices.map { rank in host.count { $0 == rank } })
        precondition(host.filter { $0 >= 0 } == host.filter { $0 >= 0 }.sorted(), "ranks host shards in order")
        var locals: [[Local]] = Array(repeating: [], count: shardCount)
        let sorted = users.sorted { precedes($0.user.id, $1.user.id) }
        var index = 0
        for user in sorted {
            while !members[index].id.utf8.elementsEqual(user.user.id.utf8) { index += 1 }
            locals[user.shard].append((index, user))
        }
        localShards = locals.indices.filter { !locals[$0].isEmpty }.map { ($0, locals[$0]) }
    }

    /// A [U][width] matrix whose rows are computed where the users are: `rows` gives one row for each of a shard's
    /// users.
    ///
    /// Every row is written by one rank and zero elsewhere, so the sum over ranks is exact (with −0 made +0,
    /// which it becomes where zeros are added). `looked` is told after each shard of this rank.
    func gatherRows(
        width: Int,
        looked: () throws -> Void = {},
        _ rows: ([Local]) throws -> [[Double]]
    ) throws -> [[Double]] {
        var flat = Array(repeating: 0.0, count: members.count * width)
        for (_, users) in localShards {
            try communicator.enter(.score, step: 0)
            for (local, row) in try zip(users, rows(users)) {
                for column in 0..<width { flat[local.index * width + column] = row[column] + 0 }
            }
            try looked()
        }
        try communicator.allReduceSum(&flat)
        return members.indices.map { Array(flat[$0 * width..<($0 + 1) * width]) }
    }

    /// Users × models × some of their comparisons, with their responses' rewards; computed in one batch per shard.
    func rewards(
        of users: [Local],
        _ use: (ComparisonSplit) -> [Int],
        under range: Range<Int>,
        _ models: some RewardScorer
    ) throws -> [[[ScoredComparison]]] {
        try rewards(of: users.map { $0.user.comparisons(use($0.user.split)) }, under: range, models)
    }

    /// Users × models × comparisons.
    func rewards(
        of comparisons: [[TokenizedComparison]],
        under range: Range<Int>,
        _ models: some RewardScorer
    ) throws -> [[[ScoredComparison]]] {
        let perModel = try models.rewards(of: Array(comparisons.joined()), under: range).map { rewards in
            byComparison(rewards, of: comparisons.joined())
        }
        var end = 0
        return comparisons.map { own in
            defer { end += own.count }
            return perModel.map { Array($0[end..<end + own.count]) }
        }
    }
}
