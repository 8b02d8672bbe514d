import Collectives
import LanguageModels
import Optimizers
import RewardMixture
import Tensors

func rewardStepWork(_ model: LanguageModel, _ size: BenchSize) -> BenchWork {
    let reward = model.copy(head: .reward, seed: 1)
    let sequences = pairedSequences(model, size)
    let optimizer = AdamW(training: reward, AdamWSettings())
    let share = 1 / Float(size.pairs)
    return BenchWork(
        run: { _ in
            reward.parameters.gradients.fill(0)
            let rewards = reward.forwardRewards(sequences)
            let margins = stride(from: 0, to: rewards.count, by: 2).map { rewards[$0] - rewards[$0 + 1] }
            let gradient = bradleyTerry(margins: margins).dMargins
            reward.backwardRewards(gradient.flatMap { [$0 * share, -$0 * share] })
            _ = try optimizer.update(learningRate: 1e-5)
            reward.parametersDidChange()
        },
        tokens: sequences.tokens.count,
        operations: 3 * Double(sequences.tokens.count) * forwardOperations(model.configuration)
    )
}

func scoreWork(_ model: LanguageModel, _ size: BenchSize) -> BenchWork {
    let reward = model.copy(head: .reward, seed: 1)
    let sequences = pairedSequences(model, size)
    return BenchWork(
        run: { _ in _ = reward.rewards(of: sequences) },
        tokens: sequences.tokens.count,
        operations: Double(sequences.tokens.count) * forwardOperations(model.configuration)
    )
}

/// Eight users (or one a rank, where there are more), a shard each, all of whose comparisons teach every group, as soft
/// assignment has it at first.
func emIterationWork(_ model: LanguageModel, _ size: BenchSize, _ communicator: any Communicator) throws -> BenchWork {
    let shards = try Shards(count: max(8, communicator.size), ranks: communicator.size)
    let users = shards.hosted(by: communicator.rank).map { shard in
        randomComparisons(
            size.pairs,
            length: size.length,
            vocabulary: model.configuration.vocabularySize,
            shard: shard
        )
    }
    let models = rewardModels(model, count: size.groups)
    let mStep = rewardStep(models, on: users, shards: shards, over: communicator)
    let eStep = scoreStep(models, on: users, shards: shards.hosted(by: communicator.rank))
    let tokens = users.joined().reduce(0) { $0 + $1.chosen.count + $1.rejected.count }
    return BenchWork(
        run: { communicator in
            for _ in 0..<size.epochs { try mStep(communicator) }
            try eStep(communicator)
        },
        tokens: (size.epochs + 1) * size.groups * tokens,
        operations: Double((3 * size.epochs + 1) * size.groups * tokens) * forwardOperations(model.configuration)
    )
}

private func pairedSequences(_ model: LanguageModel, _ size: BenchSize) -> PackedSequences {
    let comparisons = randomComparisons(
        size.pairs,
        length: size.length,
        vocabulary: model.configuration.vocabularySize
    )
    return PackedSequences(comparisons.flatMap { [$0.chosen, $0.rejected] })
}
