package import Collectives
import Failures
package import LanguageModels
import Randomness

/// Samples the reference on prompts that are drawn at random and fits the calibration to the rewards of its samples.
///
/// Every rank calls it. Streams are those of training step 0, so calibration and training share no random numbers.
///
/// - Parameters:
///   - promptCount: how many of the prompts to use, over all shards; no more than there are.
///   - rewardModels: how many rows `rewards` gives.
/// - Throws: as `fitCalibration`, and `Failure(.internalError)` where the reference's logits are not finite.
package func calibrate(
    _ method: Calibration.Method,
    reference: some SamplingPolicy,
    prompts: [[Int32]],
    promptCount: Int,
    samplesPerPrompt: Int,
    maxNewTokens: Int,
    endOfText: Int32?,
    rewardModels: Int,
    rewards: (PackedSequences) throws -> [[Float]],
    seed: UInt64,
    shards: Shards,
    communicator: any Communicator
) throws -> Calibration {
    try validatePrompts(prompts, shards: shards)
    let count = min(promptCount, prompts.count)
    var random = CounterRandom(seed: seed, purpose: .calibration)
    let drawn = prompts.indices.shuffled(using: &random)
    var shardRewards: [[[Float]]] = []
    var hashes: [UInt8] = []
    var isFinite = true
    try communicator.enter(.rollout, step: 0)
    let sampled = sampleRollouts(
        ofShards: shards.hosted(by: communicator.rank).map { shard in
            shards.items(of: shard, total: count).map { BatchPrompt(index: $0, prompt: drawn[$0]) }
        },
        pool: prompts,
        from: reference,
        options: SamplingOptions(maxNewTokens: maxNewTokens, stop: endOfText),
        samples: samplesPerPrompt,
        seed: seed,
        step: 0
    )
    for rollouts in sampled {
        isFinite = isFinite && rollouts.allSatisfy(\.isFinite)
        var rewards = try rawRewards(of: rollouts, by: rewards, models: rewardModels)
        try communicator.enter(.reward, step: 0, with: &rewards[0])
        shardRewards.append(rewards)
        let tokens = rollouts.flatMap { [Int32($0.tokens.count)] + $0.tokens }
        hashes += littleEndianBytes(fnv1a(tokens.flatMap { littleEndianBytes($0) }))
    }
    try communicator.agree {
        guard isFinite else {
            throw Failure(.internalError, "the reference policy's logits are not finite", at: "calibrate")
        }
    }
    // In order of shard whatever the number of ranks, so the hash is the run's, not the ranks'.
    let allHashes = try communicator.allGather(hashes).flatMap { $0 }
    return try fitCalibration(
        method,
        rewards: shardRewards,
        rewardModels: rewardModels,
        prompts: count,
        samplesPerPrompt: samplesPerPrompt,
        samplesHash: String(fnv1a(allHashes), radix: 16),
        communicator: communicator
    )
}

private func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
    stride(from: 0, to: value.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
}
