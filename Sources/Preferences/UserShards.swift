/// Deals users to shards so that shards have about equal work: the largest user first, each to the shard with least
/// work.
///
/// (Graham's LPT rule: the fullest shard has at most 4/3 of the least possible.) Ties go to the id that comes first and
/// to the lowest shard, so the result depends on ids and work alone, and never on the number of ranks.
///
/// - Parameters:
///   - users: id and work of each user; work in tokens.
///   - shards: how many shards there are.
/// - Returns: for each shard the indices of its users, in the order of their ids.
package func dealUsersToShards(_ users: [(id: String, work: Int)], shards: Int) -> [[Int]] {
    precondition(shards > 0, "\(shards) shards")
    var members = [[Int]](repeating: [], count: shards)
    var work = [Int](repeating: 0, count: shards)
    let order = users.indices.sorted {
        users[$0].work != users[$1].work ? users[$0].work > users[$1].work : precedes(users[$0].id, users[$1].id)
    }
    for user in order {
        var lightest = 0
        for shard in 1..<shards where work[shard] < work[lightest] { lightest = shard }
        members[lightest].append(user)
        work[lightest] += users[user].work
    }
    return members.map { $0.sorted { precedes(users[$0].id, users[$1].id) } }
}
