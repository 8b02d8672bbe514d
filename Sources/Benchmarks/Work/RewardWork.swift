import Collectives
import LanguageModels
import Optimizers
import Preferences
import RewardMixture
import Tensors
import Training

func rewardStepWork(_ model: LanguageModel, _ size: BenchSize) -> BenchWork {
    let reward = model.copy(head: .reward, trainable: size.trainable, seed: 1)
    let comparisons = comparisons(model, size)
    let sequences = packed(comparisons.map(\.run))
    let trainer = Trainer([reward])
    trainer.begin(OptimizerSettings(), over: SoloCommunicator())
    let share = 1 / Float(size.pairs)
    let tokens = sequences.tokens.count
    return BenchWork(
        run: { _ in
            reward.trainableGradients.fill(0)
            let rewards = reward.forwardRewards(sequences)
            reward.backwardRewards(plackettLuce(rewards, of: comparisons).dRewards.map { $0 * share })
            _ = try trainer.update(learningRate: 1e-5, over: SoloCommunicator())
        },
        tokens: wholeTokens(of: sequences),
        operations: forwardOperations(model.configuration, tokens: tokens, read: sequences.count)
            + backwardOperations(reward, tokens: tokens, read: sequences.count)
    )
}

func scoreWork(_ model: LanguageModel, _ size: BenchSize) -> BenchWork {
    let reward = model.copy(head: .reward, seed: 1)
    let sequences = packed(comparisons(model, size).map(\.run))
    return BenchWork(
        run: { _ in _ = reward.rewards(of: sequences) },
        tokens: wholeTokens(of: sequences),
        operations: forwardOperations(model.configuration, tokens: sequences.tokens.count, read: sequences.count)
    )
}

/// Eight users (or one a rank, where there are more), a shard each, all of whose comparisons teach every group, as soft
/// assignment has it at first.
///
/// Where the lowest blocks are frozen, what they make of the comparisons is kept from the first repetition on, and the
/// alternative keeps nothing.
func emIterationWork(_ model: LanguageModel, _ size: BenchSize, _ communicator: any Communicator) throws -> BenchWork {
    let shards = try Shards(count: max(8, communicator.size), ranks: communicator.size)
    let users = shards.hosted(by: communicator.rank).map { shard in
        randomComparisons(
            size.pairs,
            length: size.length,
            promptLength: size.prompt,
            vocabulary: model.configuration.vocabularySize,
            shard: shard
        )
    }
    func iteration(_ trunk: TrunkCache) -> (models: LanguageModelRewards, run: (any Communicator) throws -> Void) {
        let models = rewardModels(model, count: size.groups, trainable: size.trainable, trunk: trunk)
        let mStep = rewardStep(models, on: users, shards: shards, over: communicator)
        let eStep = scoreStep(models, on: users, shards: shards.hosted(by: communicator.rank))
        return (
            models,
            { communicator in
                for _ in 0..<size.epochs { try mStep(communicator) }
                try eStep(communicator)
            }
        )
    }
    let (models, run) = iteration(TrunkCache(bytes: .max, spill: nil))
    let blocks = model.configuration.layers - models.models[0].trunkBlocks
    let tokens = users.joined().reduce(0) { $0 + $1.sequences.reduce(0) { $0 + $1.count } }
    let distinct = users.joined().reduce(0) { $0 + $1.run.distinctTokens }
    let read = 2 * users.joined().count
    let scoring = forwardOperations(model.configuration, tokens: distinct, read: read, blocks: blocks)
    // What is kept is not computed, and groups score from one start of the next block.
    let shared =
        blocks == model.configuration.layers
        ? 0 : Double(size.groups - 1) * attentionStartOperations(model.configuration, tokens: distinct)
    let training = scoring + backwardOperations(models.models[0], tokens: distinct, read: read)
    return BenchWork(
        run: run,
        tokens: (size.epochs + 1) * size.groups * tokens,
        operations: Double(size.groups) * (Double(size.epochs) * training + scoring) - shared,
        alternative: blocks == model.configuration.layers
            ? nil : BenchAlternative(name: "no trunk cache", run: iteration(TrunkCache()).run)
    )
}

private func comparisons(_ model: LanguageModel, _ size: BenchSize) -> [TokenizedComparison] {
    randomComparisons(
        size.pairs,
        length: size.length,
        promptLength: size.prompt,
        vocabulary: model.configuration.vocabularySize
    )
}

/// Tokens that comparisons have, those that their sequences share counted in each.
private func wholeTokens(of sequences: PackedSequences) -> Int {
    (0..<sequences.count).reduce(0) { $0 + sequences.length(of: $1) }
}
