package import Collectives
import Failures
import LanguageModels

/// Responses of a measurement, at most, unless a step has more.
private let mostResponses = 8192

/// F_u of each of the K groups under a policy whose training has ended, on responses that no training saw; every rank
/// calls it, with the same result.
///
/// - Parameter state: how the training ended.
/// - Throws: `Failure(.internalError)` where one is not finite.
package func freshUtilities<Policy: SamplingPolicy>(
    of policy: Policy,
    reference: Policy.Reference,
    task: PolicyTask,
    settings: PolicySettings,
    state: PolicyState,
    communicator: any Communicator
) throws -> [Double] {
    let groups = task.groupSizes.count
    let models = task.calibration.means.count
    var medians = state.medians
    let means = try meanOfFreshResponses(
        of: policy,
        reference: reference,
        task: task,
        settings: settings,
        communicator: communicator,
        width: 1 + groups
    ) { rollouts in
        try communicator.enter(.reward, step: 0)
        let raw = try rawRewards(of: rollouts, by: task.rewards, models: models)
        let ofPrompts =
            task.calibration.method == .logSigmoid
            ? try medians.medians(
                of: rollouts,
                task: task,
                reference: reference,
                options: SamplingOptions(settings, task)
            ) : Array(repeating: [], count: models)
        let rewards = (0..<groups).map { group in
            task.calibration.calibrated(raw[group], model: group, medians: ofPrompts[group])
        }
        return [rollouts.reduce(0) { $0 + $1.divergence }] + rewards.map { $0.reduce(0.0) { $0 + Double($1) } }
    }
    guard means.allSatisfy(\.isFinite) else {
        throw Failure(.internalError, "the groups' utilities under the policy are not finite", at: "policy")
    }
    return means.dropFirst().map { $0 - Double(settings.beta) * means[0] }
}

/// Means over responses to the training's prompts, sampled and scored anew: as many as the steps of a `DivergenceTrend`
/// have, of the same random numbers each time; every rank calls it, with the same result.
///
/// They come in portions as large as a step's, so that a measurement takes no more memory than a step.
///
/// - Parameter sums: `width` sums over some responses of a shard.
func meanOfFreshResponses<Policy: SamplingPolicy>(
    of policy: Policy,
    reference: Policy.Reference,
    task: PolicyTask,
    settings: PolicySettings,
    communicator: any Communicator,
    width: Int,
    _ sums: ([Rollout]) throws -> [Double]
) throws -> [Double] {
    let portions = mostResponses / (settings.promptsPerStep * settings.samplesPerPrompt)
    // Of each of this rank's shards, the number of responses last.
    var ofShards = task.shards.hosted(by: communicator.rank).map { _ in [Double](repeating: 0, count: width + 1) }
    for portion in 1...min(DivergenceTrend.window, max(1, portions)) {
        try communicator.enter(.rollout, step: 0)
        let sampled = sampleRollouts(
            draw: portion,
            perStep: settings.promptsPerStep,
            from: policy,
            task: task,
            settings: settings,
            // Random numbers of no training step.
            step: -portion,
            communicator: communicator
        )
        for (shard, var rollouts) in zip(ofShards.indices, sampled) {
            try communicator.enter(.score, step: 0)
            scoreRollouts(
                &rollouts,
                policy: policy,
                reference: reference,
                temperature: settings.temperature,
                microBatchTokens: settings.microBatchTokens
            )
            let own = try sums(rollouts) + [Double(rollouts.count)]
            ofShards[shard] = zip(ofShards[shard], own).map { $0 + $1 }
        }
    }
    let total = try communicator.sumOverShards(ofShards, width: width + 1)
    return total.dropLast().map { $0 / max(total[width], 1) }
}
