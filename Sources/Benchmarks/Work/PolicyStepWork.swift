import Collectives
import LanguageModels
import MaxMinPolicy
import Optimizers

/// A step on one rank, by PPO, four responses to a prompt.
func policyStepWork(_ reference: LanguageModel, _ size: BenchSize) throws -> BenchWork {
    let samples = min(4, size.batch)
    var settings = PolicySettings()
    settings.algorithm = .ppo
    settings.steps = 1
    settings.promptsPerStep = size.batch / samples
    settings.samplesPerPrompt = samples
    settings.maxNewTokens = size.new
    settings.epochs = size.epochs
    let vocabulary = reference.configuration.vocabularySize
    let step = policyStep(
        from: reference,
        rewards: (0..<size.groups).map { reference.copy(head: .reward, seed: UInt64($0 + 1)) },
        prompts: randomSequences(settings.promptsPerStep, length: size.prompt, vocabulary: vocabulary),
        settings: settings,
        shards: try Shards(count: 1, ranks: 1),
        over: SoloCommunicator()
    )
    let responses = settings.promptsPerStep * samples
    // Sampled, scored by policy and reference, updated: through the vocabulary, with the responses' rows. Rewarded:
    // without, with their last. Always a prompt once for its responses.
    let passes = Double(1 + 2 + 3 * size.epochs)
    let tokens = settings.promptsPerStep * (size.prompt - 1) + responses * (size.new + 1)
    let trunk = forwardOperations(reference.configuration, tokens: tokens, read: responses * size.new)
    let rewarded = forwardOperations(reference.configuration, tokens: tokens, read: responses)
    let head = Double(responses * size.new) * vocabularyOperations(reference.configuration)
    return BenchWork(
        run: { _ in try step(SoloCommunicator()) },
        tokens: responses * size.new,
        operations: passes * (trunk + head) + Double(size.groups) * rewarded
    )
}

/// Sets a step of policy training up on the ranks of `communicator`, with the rewards of groups of equal size.
///
/// The result does one step over the communicator that it is handed. There is no end-of-text: every response has the
/// same length, on any number of ranks.
func policyStep(
    from reference: LanguageModel,
    rewards: [LanguageModel],
    prompts: [[Int32]],
    settings: PolicySettings,
    shards: Shards,
    by reduction: GradientReduction = .reproducible,
    over communicator: any Communicator
) -> (any Communicator) throws -> Void {
    let policy = LanguageModelPolicy(
        startingFrom: reference,
        head: settings.head(groups: rewards.count),
        settings: OptimizerSettings(),
        seed: 1,
        by: reduction,
        over: communicator
    )
    let task = PolicyTask(
        prompts: prompts,
        endOfText: nil,
        groupSizes: rewards.map { _ in 1 },
        calibration: .none(rewardModels: rewards.count),
        rewards: { sequences in rewards.map { $0.rewards(of: sequences) } },
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
