import Collectives
import LanguageModels
import MaxMinPolicy
import Optimizers

/// Sets a step of policy training up on the ranks of `communicator`, with the rewards of groups of equal size.
///
/// The result does one step over the communicator that it is handed. There is no end-of-text: every response has the same length, on
/// any number of ranks.
func policyStep(
    from reference: LanguageModel,
    rewards: [LanguageModel],
    prompts: [[Int32]],
    settings: PolicySettings,
    shards: Shards,
    by exchange: GradientExchange = .reproducible,
    over communicator: any Communicator
) -> (any Communicator) throws -> Void {
    let policy = LanguageModelPolicy(
        startingFrom: reference,
        algorithm: settings.algorithm,
        settings: AdamWSettings(),
        seed: 1,
        by: exchange,
        over: communicator
    )
    let task = PolicyTask(
        prompts: prompts,
        endOfText: nil,
        groupSizes: rewards.map { _ in 1 },
        calibration: .none(rewardModels: rewards.count),
        rewards: { sequences in
            let packed = PackedSequences(sequences)
            return rewards.map { $0.rewards(of: packed) }
        },
        seed: 1,
        shards: shards
    )
    return { communicator in
        _ = try trainPolicy(
            policy,
            reference: reference,
            task: task,
            settings: settings,
            communicator: communicator,
            onStep: { _, _ in }
        )
    }
}
