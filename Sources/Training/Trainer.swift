package import Collectives
package import LanguageModels
package import Optimizers
package import Tensors

/// Trains language models of one shape: their gradients in one slab that one reduction sums over shards, and an AdamW
/// for each.
///
/// Shapes: K models of P parameters, T of them trainable (the last T). The slab is [(P − T) + K·T]: the P gradients of
/// model u begin at u·T, so that the trainable parts lie end to end. Where T < P the frozen part of a model's slice
/// overlaps its neighbors; nothing is ever written there. One model uses the gradients that it has.
package final class Trainer {
    /// The models, trained in place.
    package let models: [LanguageModel]
    private let slab: Tensor
    private let gradientSum: GradientSum
    private let reduction: GradientReduction
    private var optimizers: [AdamW] = []
    /// This rank's slice of each model's best weights so far.
    private var best: [Tensor] = []

    /// Prepares models for training; until `begin` they may be used and copied like others.
    package init(_ models: [LanguageModel], by reduction: GradientReduction = .reproducible) {
        self.models = models
        self.reduction = reduction
        let range = models[0].trainableRange
        let count = models[0].parameters.values.count
        precondition(range.upperBound == count, "the trainable parameters are the last ones")
        if models.count > 1 {
            slab = Tensor(zeros: [range.lowerBound + models.count * range.count])
            for (index, model) in models.enumerated() {
                model.parameters.gradients = slab.view(at: index * range.count, shape: [count])
            }
        } else {
            slab = models[0].parameters.gradients
        }
        // Until the models are trained.
        slab.discardPages()
        gradientSum = GradientSum(
            of: slab.view(at: range.lowerBound, shape: [models.count * range.count]),
            vectors: models.count,
            settlesTogether: models[0].adapters != nil,
            by: reduction
        )
    }

    /// Makes new optimizers, moments zero; until `end`, a rank may have fp32 weights of its slice alone.
    ///
    /// `savesBest`: whether `saveBest` will be called.
    package func begin(_ settings: OptimizerSettings, savesBest: Bool = false, over communicator: any Communicator) {
        optimizers = models.map { AdamW(training: $0, settings, by: reduction, over: communicator) }
        best = savesBest ? optimizers.map { $0.copiedSlice() } : []
    }

    /// Gives this rank all weights again, and frees what training needed; every rank calls it.
    package func end(over communicator: any Communicator) throws {
        best = []
        gradientSum.release()
        // Models that wait while others are trained hold no gradients.
        slab.discardPages()
        for (model, optimizer) in zip(models, optimizers) { try model.gatherMasters(of: optimizer, over: communicator) }
        optimizers = []
    }

    /// Replaces the gradients by their sums over all shards, of the part that this rank updates.
    ///
    /// `work(i)` runs the backward passes of the i-th of this rank's shards.
    package func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try gradientSum.reduce(over: shards, communicator, ofShard: work)
    }

    /// Runs a backward pass of `leader`.
    ///
    /// A shard's last pass that adds to the gradients of model `completed` names it: what the pass has done with is
    /// reduced while the pass computes the rest. nil: more passes follow.
    package func backward(of leader: LanguageModel, completing completed: Int?, _ pass: () -> Void) {
        if let completed {
            let first = leader.trainableRange.lowerBound
            leader.gradientReady = { [gradientSum] in gradientSum.settled(from: $0 - first, ofVector: completed) }
        }
        pass()
        leader.gradientReady = nil
    }

    /// Makes an AdamW step of a model; gives the norm of its gradient before clipping.
    package func update(
        _ model: Int = 0,
        gradientScale: Float = 1,
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

    /// Whether there are optimizers: from `begin` to `end`.
    package var isTraining: Bool { !optimizers.isEmpty }

    /// How many updates a model's optimizer has made.
    package func updates(of model: Int = 0) -> Int { optimizers[model].step }

    /// Copies this rank's slice of a model's weights aside.
    package func saveBest(of model: Int) { optimizers[model].copySlice(into: best[model]) }

    /// Copies this rank's slice back; passes read it when training has ended.
    package func restoreBest(of model: Int) { optimizers[model].restoreSlice(from: best[model]) }

    /// The trained weights: in training those of this rank's slices, else all of them.
    package func weightVectors(_ name: String) -> [StateVector] {
        if optimizers.isEmpty {
            return models.enumerated().map { StateVector("\(name).\($0)", $1.trainableValues) }
        }
        return optimizers.enumerated().flatMap { $1.parameterVectors("\(name).\($0)") }
    }

    /// Weights, best weights and moments of this rank's slices, in place: all that a checkpoint has to hold beside the
    /// numbers of updates.
    package var stateVectors: [StateVector] {
        weightVectors("weights")
            + optimizers.enumerated().flatMap { model, optimizer in
                let kept = best.isEmpty ? [] : optimizer.vectors("best", ofSlice: best[model])
                return (kept + optimizer.stateVectors).map { $0.named("\($0.name).\(model)") }
            }
    }

    /// Resumes with vectors that a saved state filled, after so many updates of each model; every rank calls it.
    package func resume(updates: [Int], over communicator: any Communicator) throws {
        for (index, model) in models.enumerated() {
            try model.resumeTraining(by: optimizers[index], updates: updates[index], over: communicator)
        }
    }

    /// Of each model what passes read: the same bits on every rank.
    package var replicas: [Tensor] { models.flatMap(\.replicas) }
}

extension AdamW {
    /// Trains the trainable part of a model on the ranks of `communicator`; until `LanguageModel.gatherMasters`, a rank
    /// may have fp32 weights of its slice alone.
    convenience init(
        training model: LanguageModel,
        _ settings: OptimizerSettings,
        by reduction: GradientReduction,
        over communicator: any Communicator
    ) {
        // First, since the gradients and moments that are made next take the room.
        if reduction.isShared(over: communicator) {
            model.dropMasters(except: reduction.slice(of: model.trainableRange.count, communicator))
        }
        self.init(
            parameters: model.trainableValues,
            gradients: model.trainableGradients,
            decaying: model.decayingRanges,
            settings: settings,
            halves: model.bf16Replicas,
            by: reduction,
            over: communicator
        )
    }
}
