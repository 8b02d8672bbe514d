import Collectives
import LanguageModels
import Optimizers
import Tensors
import Testing

@testable import MaxMinPolicy

/// A tiny GPT-2 through the thin adapter: groups that like different tokens both gain, by any algorithm.
@Test(arguments: [
    (PolicySettings.Algorithm.rloo, PolicySettings.ValueHeads.single), (.ppo, .single), (.ppo, .perGroup),
    (.grpo, .single),
])
func languageModelLearnsForBothGroups(algorithm: PolicySettings.Algorithm, heads: PolicySettings.ValueHeads) throws {
    let reference = LanguageModel(
        ModelConfiguration(vocabularySize: 12, positions: 12, width: 16, layers: 1, heads: 2),
        head: .none,
        precision: .float32,
        seed: 3
    )
    let before = reference.parameters.values.array()
    var settings = PolicySettings()
    settings.algorithm = algorithm
    settings.valueHeads = heads
    let policy = LanguageModelPolicy(
        startingFrom: reference,
        head: settings.head(groups: 2),
        settings: OptimizerSettings(),
        seed: 4
    )
    settings.steps = 20
    settings.promptsPerStep = 8
    settings.maxNewTokens = 6
    settings.optimizer.learningRate = 0.01
    settings.epochs = 2
    let task = PolicyTask(
        prompts: (1..<9).map { [Int32($0), 2] },
        endOfText: 0,
        groupSizes: [1, 1],
        calibration: .none(rewardModels: 2),
        rewards: { sequences in
            [Int32(3), 5].map { liked in sequences.map { Float($0.dropFirst(2).filter { $0 == liked }.count) } }
        },
        seed: 1,
        shards: try Shards(count: 2, ranks: 1)
    )
    var records: [PolicyStepRecord] = []
    _ = try trainPolicy(
        policy,
        reference: reference,
        task: task,
        settings: settings,
        communicator: SoloCommunicator()
    ) { record, _ in records.append(record) }
    // The policy starts as the reference: the same log-probabilities, ratio 1 in the first update.
    #expect(abs(records[0].kl) < 1e-4)
    for group in 0..<2 {
        #expect(records[19].rewards[group] > records[0].rewards[group] + 0.3, "group \(group)")
    }
    #expect(records.allSatisfy { !$0.skipped && $0.gradientNorm > 0 && ($0.valueLoss > 0) == (algorithm == .ppo) })
    #expect(policy.model.head == (algorithm != .ppo ? .none : .values(heads == .perGroup ? 2 : 1)))
    #expect(reference.parameters.values.array() == before)
}
