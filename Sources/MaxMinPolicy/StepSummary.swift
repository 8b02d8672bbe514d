import Collectives

/// One shard's share of a step.
struct ShardBatch {
    let shard: Int
    var rollouts: [Rollout]
    /// Reward models × responses, as the models gave them.
    var rawRewards: [[Float]] = []
    /// Reward models × responses, calibrated.
    var rewards: [[Float]] = []
    /// Responses × tokens.
    var advantages: [[Float]] = []
    /// Responses × tokens·heads, those of a token together; empty without a value head.
    var returns: [[Float]] = []

    var allTokens: Int { rollouts.reduce(0) { $0 + $1.tokens.count } }
}

/// Means over the responses (or tokens) of all ranks, before the update.
struct StepSummary {
    var responses = 0
    var responseTokens = 0.0
    var allTokens = 0.0
    var finished = 0.0
    var kl = 0.0
    var entropy = 0.0
    var rawRewards: [Double] = []
    var rewards: [Double] = []
    /// Share of responses of which each of the first K rows is the least (the lowest index of several).
    var leastShares: [Double] = []
    /// Of the calibrated rewards, a histogram a model.
    var histograms: [RewardHistogram] = []

    var isFinite: Bool {
        (rawRewards + rewards + [kl, entropy]).allSatisfy(\.isFinite)
    }

    /// Sums within each shard, then over all shards.
    init(_ batches: [ShardBatch], groups: Int, models: Int, communicator: any Communicator) throws {
        let perShard = batches.map { batch in
            var counts = [Double](repeating: 0, count: 6)
            var raw = [Double](repeating: 0, count: models)
            var calibrated = raw
            var least = [Double](repeating: 0, count: groups)
            for (index, rollout) in batch.rollouts.enumerated() {
                counts[0] += 1
                counts[1] += Double(rollout.responseLength)
                counts[2] += Double(rollout.tokens.count)
                counts[3] += rollout.finished ? 1 : 0
                counts[4] += rollout.divergence
                counts[5] += rollout.entropies.reduce(0.0) { $0 + Double($1) }
                for model in 0..<models {
                    raw[model] += Double(batch.rawRewards[model][index])
                    calibrated[model] += Double(batch.rewards[model][index])
                }
                least[worstGroup((0..<groups).map { Double(batch.rewards[$0][index]) })] += 1
            }
            return counts + raw + calibrated + least + batch.rewards.flatMap(RewardHistogram.sums)
        }
        let means = 6 + 2 * models + groups
        let sums = try communicator.sumOverShards(perShard, width: means + models * RewardHistogram.width)
        let perResponse = sums.map { $0 / max(sums[0], 1) }
        responses = Int(sums[0])
        responseTokens = perResponse[1]
        allTokens = sums[2]
        finished = perResponse[3]
        kl = perResponse[4]
        entropy = sums[5] / max(sums[1], 1)
        rawRewards = Array(perResponse[6..<(6 + models)])
        rewards = Array(perResponse[(6 + models)..<(6 + 2 * models)])
        leastShares = Array(perResponse[(6 + 2 * models)..<means])
        histograms = (0..<models).map { RewardHistogram(sums[(means + $0 * RewardHistogram.width)...]) }
    }
}
