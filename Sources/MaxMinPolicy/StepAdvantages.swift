import Collectives

/// Fills in the advantages (and returns) of a step's rollouts from the combined reward of each response.
///
/// - Parameter combined: for every batch, the weighted calibrated reward of each response.
func estimateAdvantages(
    _ batches: inout [ShardBatch],
    combined: [[Float]],
    beta: Float,
    settings: PolicySettings,
    communicator: any Communicator
) throws {
    for index in batches.indices {
        let rollouts = batches[index].rollouts
        let rewards = zip(rollouts, combined[index]).map { rollout, reward in
            tokenRewards(
                logProbabilities: rollout.logProbabilities,
                reference: rollout.reference,
                beta: beta,
                bonus: rollout.finished ? reward : reward - settings.missingEOSPenalty
            )
        }
        switch settings.algorithm {
        case .ppo:
            let estimates = zip(rewards, rollouts).map { rewards, rollout in
                generalisedAdvantages(
                    rewards: rewards,
                    values: rollout.values,
                    gamma: settings.gamma,
                    lambda: settings.lambda
                )
            }
            batches[index].advantages = estimates.map(\.advantages)
            batches[index].returns = estimates.map(\.returns)
        case .rloo:
            let returns = rewards.map { $0.reduce(0, +) }
            let advantages = stride(from: 0, to: returns.count, by: settings.samplesPerPrompt).flatMap { start in
                leaveOneOutAdvantages(Array(returns[start..<(start + settings.samplesPerPrompt)]))
            }
            batches[index].advantages = zip(advantages, rollouts).map { advantage, rollout in
                Array(repeating: advantage, count: rollout.responseLength)
            }
        }
    }
    if settings.algorithm == .ppo && settings.whiten {
        let flat = try whitened(batches.map { $0.advantages.flatMap { $0 } }, communicator: communicator)
        for index in batches.indices {
            var start = 0
            for response in batches[index].advantages.indices {
                let length = batches[index].advantages[response].count
                batches[index].advantages[response] = Array(flat[index][start..<(start + length)])
                start += length
            }
        }
    }
}
