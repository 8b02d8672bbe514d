import Preferences

/// [K][shards]: Σ q_h(u)·weight over a shard's comparisons that a part's gradients come from.
func shardWeights(
    _ users: ShardedUsers,
    _ part: ComparisonSplit.Key,
    responsibilities: [[Double]],
    groups: Int
) -> [[Double]] {
    var weights = Array(repeating: Array(repeating: 0.0, count: users.shardCount), count: groups)
    for (user, row) in zip(users.members, responsibilities) {
        for group in 0..<groups where row[group] >= ComparisonSampler.negligible {
            weights[group][user.shard] += row[group] * user[part].fit
        }
    }
    return weights
}

/// Draws comparisons of one shard for one model.
struct ShardSampler {
    var sampler: ComparisonSampler
    let comparisons: [TokenizedComparison]

    mutating func draw(_ count: Int) -> [TokenizedComparison] { sampler.draw(count).map { comparisons[$0] } }
}

/// One sampler for each of this rank's shards and each model; none where the shard has nothing for it.
func makeSamplers(
    _ users: ShardedUsers,
    _ parts: [ComparisonSplit.Key],
    responsibilities: [[Double]],
    models: [Int],
    settings: RewardMixtureSettings,
    round: Int
) -> [[Int: ShardSampler]] {
    let groups = responsibilities.first?.count ?? 1
    return users.localShards.map { local in
        var samplers: [Int: ShardSampler] = [:]
        for (number, part) in parts.enumerated() {
            let comparisons = local.users.flatMap { $0.user.comparisons($0.user.split[part].fit) }
            for group in 0..<groups where models.contains(number * groups + group) {
                let weights = local.users.flatMap { index, user in
                    let share = responsibilities[index][group]
                    return user.comparisons(user.split[part].fit).map {
                        share < ComparisonSampler.negligible
                            ? 0 : max(share * $0.weight, ComparisonSampler.negligible)
                    }
                }
                guard weights.contains(where: { $0 > 0 }) else { continue }
                samplers[number * groups + group] = ShardSampler(
                    sampler: ComparisonSampler(
                        weights: weights,
                        seed: settings.seed,
                        stream: (round * settings.mostParts + number) * groups + group,
                        shard: local.shard
                    ),
                    comparisons: comparisons
                )
            }
        }
        return samplers
    }
}
