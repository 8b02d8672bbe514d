import Collectives
import LanguageModels
import MaxMinPolicy
import Optimizers
import Preferences
import RewardMixture
import Tensors
import Training

/// A stage whose step is timed over ranks.
package enum ScalingStage: String, CaseIterable, Sendable {
    /// Next-token training: forward, backward, gradients summed, update.
    case sft
    /// A step of the M-step for two groups at once.
    case reward
    /// The E-step: every user scored under two groups' models.
    case score
    /// A step of policy training: sampling, scoring, rewards of two groups, update.
    case policy
}

/// Work of a step, spread over the ranks by shards as training spreads it.
package struct ScalingLoad: Sendable {
    /// Over all ranks.
    var shards: Int
    /// Sequences of a shard for `sft`, comparisons for each group for `reward` and `score`, responses for `policy`.
    var batch: Int
    /// Length of sequences, tokens; of a policy's responses, 6 tokens less.
    var length: Int

    /// States a load.
    package init(shards: Int, batch: Int, length: Int) {
        self.shards = shards
        self.batch = batch
        self.length = length
    }
}

/// Sets a stage's step up on random tokens, with the parts that training uses; set-up is not timed.
///
/// The result does one step over the communicator that it is handed: the one it was set up for, or a timed one around
/// it.
func scalingStep(
    of stage: ScalingStage,
    model: LanguageModel,
    load: ScalingLoad,
    by reduction: GradientReduction,
    communicator: any Communicator
) throws -> (any Communicator) throws -> Void {
    let shards = try Shards(count: load.shards, ranks: communicator.size)
    let hosted = shards.hosted(by: communicator.rank)
    func drawn() -> [[TokenizedComparison]] {
        hosted.map { shard in
            randomComparisons(
                load.batch,
                length: load.length...load.length,
                promptLength: 0,
                vocabulary: model.configuration.vocabularySize,
                shard: shard
            )
        }
    }
    switch stage {
    case .sft: return sftStep(model, load: load, shards: shards, by: reduction, communicator)
    case .reward:
        return rewardStep(rewardModels(model, by: reduction), on: drawn(), shards: shards, over: communicator)
    case .score: return scoreStep(rewardModels(model), on: drawn(), shards: hosted)
    case .policy: return policyStep(model, load: load, shards: shards, by: reduction, communicator)
    }
}

private func sftStep(
    _ base: LanguageModel,
    load: ScalingLoad,
    shards: Shards,
    by reduction: GradientReduction,
    _ communicator: any Communicator
) -> (any Communicator) throws -> Void {
    let model = base.copy(head: .none, seed: 1)
    let trainer = Trainer([model], by: reduction)
    trainer.begin(OptimizerSettings(), over: communicator)
    let batches = shards.hosted(by: communicator.rank).map { shard in
        PackedSequences(
            randomSequences(
                load.batch,
                length: load.length,
                vocabulary: base.configuration.vocabularySize,
                shard: shard
            )
        )
    }
    let share = -1 / Float(load.shards * load.batch * (load.length - 1))
    return { communicator in
        try trainer.sumGradients(over: shards.tree, communicator) { index in
            let batch = batches[index]
            let scores = model.forwardTokenScores(batch, rows: batch.predictingRows, temperature: 1)
            let shares = [Float](repeating: share, count: scores.logProbabilities.count)
            trainer.backward(of: model, completing: 0) {
                model.backwardTokenScores(dLogProbabilities: shares, dValues: [])
            }
        }
        _ = try trainer.update(learningRate: 1e-5, over: communicator)
    }
}

/// Reward models that start equal.
func rewardModels(
    _ base: LanguageModel,
    count: Int = 2,
    trainable: TrainableParameters = .full,
    trunk: TrunkCache? = nil,
    by reduction: GradientReduction = .reproducible
) -> LanguageModelRewards {
    LanguageModelRewards(
        copying: base,
        count: count,
        trainable: trainable,
        microBatchTokens: RewardMixtureSettings().microBatchTokens,
        trunk: trunk,
        by: reduction,
        seed: 1
    )
}

/// A step of the M-step: the comparisons of each of this rank's shards, for every model.
func rewardStep(
    _ models: LanguageModelRewards,
    on comparisons: [[TokenizedComparison]],
    shards: Shards,
    over communicator: any Communicator
) -> (any Communicator) throws -> Void {
    models.beginTraining(RewardMixtureSettings(), over: communicator)
    return { communicator in
        try models.sumGradients(over: shards.tree, communicator) { index in
            let batches = (0..<models.count).map { TrainingBatch(model: $0, comparisons: comparisons[index]) }
            _ = try models.addGradients(of: batches)
        }
        // The counts that travel beside them.
        let counts = comparisons.map { [Double](repeating: Double($0.count), count: 2 * models.count) }
        let total = try communicator.sumOverShards(counts, width: 2 * models.count)
        for group in 0..<models.count {
            _ = try models.update(
                group,
                gradientScale: Float(1 / total[2 * group]),
                learningRate: 1e-5,
                over: communicator
            )
        }
    }
}

/// The E-step: a user of each of this rank's shards, with those comparisons, under every model.
func scoreStep(
    _ models: LanguageModelRewards,
    on comparisons: [[TokenizedComparison]],
    shards: Range<Int>
) -> (any Communicator) throws -> Void {
    let users = zip(shards, comparisons).map { shard, comparisons in
        ShardedUser(
            User(id: "user-\(shard)", comparisons: comparisons),
            shard: shard,
            split: ComparisonSplit(assign: Array(comparisons.indices))
        )
    }
    return { communicator in _ = try scoreUsers(users, under: models, over: communicator) }
}

private func policyStep(
    _ base: LanguageModel,
    load: ScalingLoad,
    shards: Shards,
    by reduction: GradientReduction,
    _ communicator: any Communicator
) -> (any Communicator) throws -> Void {
    let promptLength = 6
    var settings = PolicySettings()
    settings.steps = 1
    settings.samplesPerPrompt = 4
    settings.promptsPerStep = load.shards * max(1, load.batch / settings.samplesPerPrompt)
    settings.maxNewTokens = load.length - promptLength
    let prompts = (0..<settings.promptsPerStep).map { index in
        randomSequences(1, length: promptLength, vocabulary: base.configuration.vocabularySize, shard: index)[0]
    }
    return policyStep(
        from: base,
        rewards: rewardModels(base).models,
        prompts: prompts,
        settings: settings,
        shards: shards,
        by: reduction,
        over: communicator
    )
}
