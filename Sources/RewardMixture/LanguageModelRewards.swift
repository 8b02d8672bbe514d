package import Collectives
package import LanguageModels
package import Optimizers
package import Preferences
import Randomness
package import Tensors
import Training

/// Reward models that are language models with a reward head.
package final class LanguageModelRewards: RewardModels {
    /// What is trained: a model of each group, or backbones with a head for each.
    package let models: [LanguageModel]
    /// How many heads each of them has.
    package let heads: Int
    private let trainer: Trainer
    private let initial: Tensor
    private let seed: UInt64
    private let scorer: LanguageModelScorer

    /// `count` copies of the trunk of `base`, or adapters or heads over that one trunk, each with the same new reward
    /// head drawn from `seed`, or `heads` of them: all start from equal weights.
    ///
    /// `trunk` keeps what lies below the first trained block, for all models made of one base with equal `trainable`;
    /// nil: nothing is kept.
    package init(
        copying base: LanguageModel,
        count: Int,
        heads: Int = 1,
        trainable: TrainableParameters,
        microBatchTokens: Int,
        trunk: TrunkCache? = nil,
        by reduction: GradientReduction = .reproducible,
        seed: UInt64
    ) {
        self.seed = seed
        self.heads = heads
        models = (0..<count).map { _ in
            let model = base.copy(head: .rewards(heads), trainable: trainable, seed: seed)
            for head in 1..<max(1, heads) { model.head(head).copy(from: model.head(0)) }
            if heads > 1 { model.parametersDidChange() }
            return model
        }
        scorer = LanguageModelScorer(
            models,
            microBatchTokens: microBatchTokens,
            trunk: models[0].trunkBlocks > 0 ? trunk ?? TrunkCache() : nil
        )
        trainer = Trainer(models, by: reduction)
        initial = models[0].trainableValues.copied()
    }

    /// How many reward models there are.
    package var count: Int { models.count * heads }

    /// One reward model by itself: of several heads on a backbone a copy with that head.
    package func model(_ index: Int) -> LanguageModel {
        let owner = models[index / heads]
        guard heads > 1 else { return owner }
        let alone = owner.copy(head: .reward, seed: seed)
        alone.head(0).copy(from: owner.head(index % heads))
        alone.parametersDidChange()
        return alone
    }

    /// The responses of a micro-batch in one forward pass; what lies below the models' first trained block is computed
    /// once.
    package func rewards(of comparisons: [TokenizedComparison], under models: Range<Int>) throws -> [[Float]] {
        try scorer.rewards(of: comparisons, under: models)
    }

    /// New optimizers, moments zero.
    package func beginTraining(_ settings: RewardMixtureSettings, over communicator: any Communicator) {
        trainer.begin(settings.optimizer, savesBest: true, over: communicator)
    }

    /// Frees the moments, the best weights and what sums of gradients needed; every rank has all weights again.
    package func endTraining(over communicator: any Communicator) throws {
        try trainer.end(over: communicator)
    }

    /// Forward, loss and backward of each micro-batch; where the models are adapters over one trunk, comparisons of
    /// different models share micro-batches.
    ///
    /// Batches come in ascending order of model. Dropout is that of the step that follows on the optimizer's last.
    package func addGradients(of batches: [TrainingBatch]) throws -> [Double] {
        for (index, model) in models.enumerated() where trainer.isTraining {
            var random = CounterRandom(seed: seed, purpose: .dropout, step: trainer.updates(of: index), item: index)
            model.adapterDropoutKey = random.next()
        }
        defer { for model in models { model.adapterDropoutKey = nil } }
        var losses = Array(repeating: 0.0, count: batches.count)
        func vector(of batch: Int) -> Int { batches[batch].model / heads }
        let ofOneVector = Dictionary(grouping: batches.indices, by: vector).sorted { $0.key < $1.key }.map(\.value)
        for indices in models[0].adapters != nil ? [Array(batches.indices)] : ofOneVector {
            let comparisons = indices.flatMap { batches[$0].comparisons }
            let owners = indices.flatMap { Array(repeating: $0, count: batches[$0].comparisons.count) }
            for range in microBatches(comparisons.map(\.run), limit: scorer.microBatchTokens) {
                let sequences = packed(comparisons[range].map(\.run))
                let leader = models[vector(of: owners[range.lowerBound])]
                let runs = runs(of: owners[range], comparisons[range])
                let rewards = leader.forwardRewards(
                    sequences,
                    from: try scorer.trunkStates(of: sequences),
                    runs: runs.map { run in
                        RewardRun(
                            models[vector(of: run.owner)],
                            head: batches[run.owner].model % heads,
                            sequences: run.sequences
                        )
                    }
                )
                let dRewards = runs.flatMap { run in
                    let (loss, dRewards) = plackettLuce(
                        Array(rewards[run.sequences]),
                        of: comparisons[run.comparisons]
                    )
                    losses[run.owner] += loss
                    return dRewards
                }
                let completed = range.upperBound == comparisons.count ? indices.last.map(vector) : nil
                trainer.backward(of: leader, completing: completed) { leader.backwardRewards(dRewards) }
            }
        }
        return losses
    }

    /// One sum over the trainable gradients of all models.
    package func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try trainer.sumGradients(over: shards, communicator, ofShard: work)
    }

    /// One AdamW step.
    package func update(
        _ vector: Int,
        gradientScale: Float,
        learningRate: Float,
        over communicator: any Communicator
    ) throws -> Double {
        try trainer.update(vector, gradientScale: gradientScale, learningRate: learningRate, over: communicator)
    }

    /// The trainable weights.
    package func weightVectors(_ name: String) -> [StateVector] { trainer.weightVectors(name) }

    /// Weights, best weights and moments of this rank's slices.
    package var trainingVectors: [StateVector] { trainer.stateVectors }

    /// Of each model what passes read.
    package var replicas: [Tensor] { trainer.replicas }

    /// Gathers the filled slices, and sets the optimizers' step counts.
    package func resumeTraining(updates: [Int], over communicator: any Communicator) throws {
        try trainer.resume(updates: updates, over: communicator)
    }

    /// The width of the hidden state.
    package var headWidth: Int { models[0].configuration.width }

    /// What the head reads of each sequence is computed once for all users.
    package func headGradients(of comparisons: [[TokenizedComparison]], under model: Int) throws -> [[Float]] {
        let (states, rewards) = try scorer.headStates(of: comparisons.flatMap { $0 }, under: model)
        var end = 0
        return comparisons.map { own in
            var gradient = Array(repeating: Float(0), count: headWidth)
            let total = own.reduce(0) { $0 + $1.weight }
            for comparison in own {
                let responses = end..<end + comparison.sequences.count
                end = responses.upperBound
                let dRewards = plackettLuce(Array(rewards[responses]), of: [comparison]).dRewards
                for (state, dReward) in zip(states[responses], dRewards) {
                    // The gradient of log p is that of the loss with its sign turned.
                    let factor = -dReward * Float(comparison.weight / total)
                    for (index, value) in state.enumerated() { gradient[index] += factor * value }
                }
            }
            return gradient
        }
    }

    /// Copies this rank's slice aside.
    package func saveBest(of vector: Int) {
        trainer.saveBest(of: vector)
    }

    /// Copies this rank's slice back; passes read it when training has ended.
    package func restoreWeights(of vector: Int) {
        trainer.restoreBest(of: vector)
    }

    /// Scales the head's weights: it has no bias.
    package func scaleRewards(of model: Int, by factor: Float) {
        let owner = models[model / heads]
        scale(owner.head(model % heads), by: factor)
        owner.parametersDidChange()
    }

    /// The trainable weights of `base`; of several heads on a backbone the one head.
    package func resetWeights(of model: Int) {
        guard heads > 1 else { return setWeights(initial, of: model) }
        let owner = models[model / heads]
        owner.head(model % heads).copy(from: initial.view(at: initial.count - headWidth, shape: [headWidth]))
        owner.parametersDidChange()
    }

    /// The trainable weights.
    package func weights(of vector: Int) -> Tensor { models[vector].trainableValues }

    /// The trainable weights as copied earlier.
    package func setWeights(_ weights: Tensor, of vector: Int) {
        models[vector].trainableValues.copy(from: weights)
        models[vector].parametersDidChange()
    }

    /// What lies below the heads, and one head.
    package func copyWeights(to model: Int, from other: LanguageModelRewards, model otherModel: Int) {
        let (owner, source) = (models[model / heads], other.models[otherModel / other.heads])
        owner.belowHeads.copy(from: source.belowHeads)
        owner.head(model % heads).copy(from: source.head(otherModel % other.heads))
        owner.parametersDidChange()
    }
}

extension LanguageModel {
    /// The weights of one reward head, which come last.
    fileprivate func head(_ index: Int) -> Tensor {
        let (values, width) = (parameters.values, configuration.width)
        return values.view(at: values.count - (rewardHeads - index) * width, shape: [width])
    }

    /// The trainable weights without the reward heads.
    fileprivate var belowHeads: Tensor {
        trainableValues.view(at: 0, shape: [trainableValues.count - rewardHeads * configuration.width])
    }
}

/// Comparisons of one owner that follow each other in a micro-batch.
private struct Run {
    let owner: Int
    var comparisons: Range<Int>
    /// Their responses, counted from the micro-batch's first.
    var sequences: Range<Int>
}

/// Runs of equal owners, in order.
private func runs(of owners: ArraySlice<Int>, _ comparisons: ArraySlice<TokenizedComparison>) -> [Run] {
    var runs: [Run] = []
    var sequence = 0
    for (index, owner) in zip(owners.indices, owners) {
        let end = sequence + comparisons[index].sequences.count
        if let last = runs.last, last.owner == owner {
            runs[runs.count - 1].comparisons = last.comparisons.lowerBound..<index + 1
            runs[runs.count - 1].sequences = last.sequences.lowerBound..<end
        } else {
            runs.append(Run(owner: owner, comparisons: index..<index + 1, sequences: sequence..<end))
        }
        sequence = end
    }
    return runs
}
