package import Collectives
package import LanguageModels
package import Optimizers
import Randomness
package import Tensors

/// Reward models that are language models with a reward head, all gradients in one slab that one reduction sums.
///
/// Shapes: K models of P parameters, T of them trainable (the last T). The slab is [(P − T) + K·T]: the P gradients of
/// model u begin at u·T, so that the trainable parts lie end to end. Where T < P the
/// frozen part of a model's slice overlaps its neighbors; nothing is ever written there.
package final class LanguageModelRewards: RewardModels {
    /// The models, in order of group.
    package let models: [LanguageModel]
    private let slab: Tensor
    private let gradientSum: GradientSum
    private let reduction: GradientReduction
    private let initial: Tensor
    private let seed: UInt64
    /// While training: this rank's slice of each model's best weights so far.
    private var bestWeights: [Tensor] = []
    private var optimizers: [AdamW] = []
    private let scorer: LanguageModelScorer

    /// `count` copies of the trunk of `base`, or adapters or heads over that one trunk, each with the same new reward
    /// head drawn from `seed`: all start from equal weights.
    ///
    /// `trunk` keeps what lies below the first trained block, for all models made of one base with equal `trainable`;
    /// nil: nothing is kept.
    package init(
        copying base: LanguageModel,
        count: Int,
        trainable: TrainableParameters,
        microBatchTokens: Int,
        trunk: TrunkCache? = nil,
        by reduction: GradientReduction = .reproducible,
        seed: UInt64
    ) {
        self.reduction = reduction
        self.seed = seed
        models = (0..<count).map { _ in
            base.copy(head: .reward, trainable: trainable, seed: seed)
        }
        scorer = LanguageModelScorer(
            models,
            microBatchTokens: microBatchTokens,
            trunk: models[0].trunkBlocks > 0 ? trunk ?? TrunkCache() : nil
        )
        let range = models[0].trainableRange
        let parameterCount = models[0].parameters.values.count
        precondition(range.upperBound == parameterCount, "the trainable parameters are the last ones")
        slab = Tensor(zeros: [range.lowerBound + count * range.count])
        // Until the models are trained.
        slab.discardPages()
        gradientSum = GradientSum(
            of: slab.view(at: range.lowerBound, shape: [count * range.count]),
            vectors: count,
            settlesTogether: models[0].adapters != nil,
            by: reduction
        )
        for (index, model) in models.enumerated() {
            model.parameters.gradients = slab.view(at: index * range.count, shape: [parameterCount])
        }
        initial = models[0].trainableValues.copied()
    }

    /// How many models there are.
    package var count: Int { models.count }

    /// Δ of each comparison: chosen and rejected of a micro-batch in one forward pass.
    package func margins(of comparisons: [TokenComparison], under model: Int) throws -> [Float] {
        try scorer.margins(of: comparisons, under: model)
    }

    /// The same under every model; what lies below their first trained block is computed once.
    package func margins(of comparisons: [TokenComparison]) throws -> [[Float]] {
        try scorer.margins(of: comparisons)
    }

    /// New optimizers, moments zero.
    package func beginTraining(_ settings: RewardMixtureSettings, over communicator: any Communicator) {
        optimizers = models.map { AdamW(training: $0, settings.optimizer, by: reduction, over: communicator) }
        bestWeights = optimizers.map { $0.copiedSlice() }
    }

    /// Frees the moments, the best weights and what sums of gradients needed; every rank has all weights again.
    package func endTraining(over communicator: any Communicator) throws {
        bestWeights = []
        gradientSum.release()
        for (model, optimizer) in zip(models, optimizers) { try model.gatherMasters(of: optimizer, over: communicator) }
        optimizers = []
    }

    /// Forward, loss and backward of each micro-batch; where the models are adapters over one trunk, comparisons of
    /// different models share micro-batches.
    ///
    /// Batches come in ascending order of model. Dropout is that of the step that follows on the optimizer's last.
    package func addGradients(
        of batches: [TrainingBatch<TokenComparison>],
        loss: (Int, [Float]) -> [Float]
    ) throws {
        for (index, (model, optimizer)) in zip(models, optimizers).enumerated() {
            var random = CounterRandom(seed: seed, purpose: .dropout, step: optimizer.step, item: index)
            model.adapterDropoutKey = random.next()
        }
        defer { for model in models { model.adapterDropoutKey = nil } }
        for together in models[0].adapters != nil ? [batches] : batches.map({ [$0] }) {
            let comparisons = together.flatMap(\.comparisons)
            let owners = together.flatMap { Array(repeating: $0.model, count: $0.comparisons.count) }
            for range in microBatches(comparisons, limit: scorer.microBatchTokens) {
                let leader = models[owners[range.lowerBound]]
                let runs = runs(of: Array(owners[range]))
                let rewards = leader.forwardRewards(
                    packed(comparisons[range]),
                    from: try scorer.trunkStates(of: comparisons[range]),
                    runs: runs.map { RewardRun(models[$0.model], sequences: 2 * $0.start..<2 * $0.end) }
                )
                let margins = RewardMixture.margins(fromRewards: rewards)
                let dMargins = runs.flatMap { loss($0.model, Array(margins[$0.start..<$0.end])) }
                if range.upperBound == comparisons.count, let last = together.last?.model {
                    let first = leader.trainableRange.lowerBound
                    leader.gradientReady = { self.gradientSum.settled(from: $0 - first, ofVector: last) }
                }
                leader.backwardRewards(dRewards(dMargins))
                leader.gradientReady = nil
            }
        }
    }

    /// One sum over the trainable gradients of all models.
    package func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try gradientSum.reduce(over: shards, communicator, ofShard: work)
    }

    /// One AdamW step.
    package func update(
        _ model: Int,
        gradientScale: Float,
        learningRate: Float,
        over communicator: any Communicator
    ) throws -> Double {
        let norm = try optimizers[model].update(
            learningRate: learningRate,
            scaledBy: gradientScale,
            over: communicator
        )
        models[model].parametersDidChange()
        return norm
    }

    /// The trainable weights.
    package func weightVectors(_ name: String) -> [StateVector] {
        if optimizers.isEmpty { return vectors(models.map(\.trainableValues), name) }
        return optimizers.enumerated().flatMap { $1.parameterVectors("\(name).\($0)") }
    }

    /// Weights, best weights and moments of this rank's slices.
    package var trainingVectors: [StateVector] {
        weightVectors("weights")
            + optimizers.enumerated().flatMap { model, optimizer in
                let vectors = optimizer.vectors("best", ofSlice: bestWeights[model]) + optimizer.stateVectors
                return vectors.map { $0.named("\($0.name).\(model)") }
            }
    }

    /// Of each model what passes read.
    package var replicas: [Tensor] { models.flatMap(\.replicas) }

    /// Gathers the filled slices, and sets the optimizers' step counts.
    package func resumeTraining(updates: [Int], over communicator: any Communicator) throws {
        for (index, model) in models.enumerated() {
            try model.resumeTraining(by: optimizers[index], updates: updates[index], over: communicator)
        }
    }

    /// The width of the hidden state.
    package var headWidth: Int { models[0].configuration.width }

    /// Runs the backward pass of the head alone.
    package func headGradient(of comparisons: [TokenComparison], under model: Int) throws -> [Float] {
        guard !comparisons.isEmpty else { return Array(repeating: 0, count: headWidth) }
        let gradient = head(models[model].parameters.gradients)
        gradient.fill(0)
        for range in microBatches(comparisons, limit: scorer.microBatchTokens) {
            let states = try scorer.trunkStates(of: comparisons[range])
            let margins = RewardMixture.margins(
                fromRewards: models[model].forwardRewards(packed(comparisons[range]), from: states)
            )
            models[model].backwardRewards(dRewards(bradleyTerry(margins: margins).dMargins), ofHeadsAlone: true)
        }
        return gradient.array().map { -$0 / Float(comparisons.count) }
    }

    /// Copies this rank's slice aside.
    package func saveBest(of model: Int) {
        optimizers[model].copySlice(into: bestWeights[model])
    }

    /// Copies this rank's slice back; passes read it when training has ended.
    package func restoreWeights(of model: Int) {
        optimizers[model].restoreSlice(from: bestWeights[model])
    }

    /// Scales the head's weights: it has no bias.
    package func scaleRewards(of model: Int, by factor: Float) {
        scale(head(models[model].parameters.values), by: factor)
        models[model].parametersDidChange()
    }

    /// The head's part of a model's weights or gradients: the last.
    private func head(_ vector: Tensor) -> Tensor {
        vector.view(at: vector.count - headWidth, shape: [headWidth])
    }

    /// The trainable weights of `base`.
    package func resetWeights(of model: Int) {
        set(model, to: initial)
    }

    /// The trainable weights.
    package func weights(of model: Int) -> Tensor { models[model].trainableValues }

    /// The trainable weights as copied earlier.
    package func setWeights(_ weights: Tensor, of model: Int) { set(model, to: weights) }

    /// The trainable weights of another model.
    package func copyWeights(to model: Int, from other: LanguageModelRewards, model otherModel: Int) {
        set(model, to: other.models[otherModel].trainableValues)
    }

    private func set(_ model: Int, to weights: Tensor) {
        models[model].trainableValues.copy(from: weights)
        models[model].parametersDidChange()
    }
}

/// Δ = r(chosen) − r(rejected), so the two rewards' derivatives are dΔ and −dΔ.
private func dRewards(_ dMargins: [Float]) -> [Float] { dMargins.flatMap { [$0, -$0] } }

/// Runs of equal owners, in order.
private func runs(of owners: [Int]) -> [(model: Int, start: Int, end: Int)] {
    var runs: [(model: Int, start: Int, end: Int)] = []
    for (index, owner) in owners.enumerated() {
        if let last = runs.last, last.model == owner {
            runs[runs.count - 1].end = index + 1
        } else {
            runs.append((owner, index, index + 1))
        }
    }
    return runs
}
