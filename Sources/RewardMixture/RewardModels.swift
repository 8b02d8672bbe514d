package import Collectives
package import Optimizers
package import Preferences
package import Tensors

/// Reward models that can be asked, and no more.
package protocol RewardScorer {
    /// How many models there are.
    var count: Int { get }

    /// The reward of every response under some of the models: models × responses, those of a comparison one after the
    /// other.
    func rewards(of comparisons: [TokenizedComparison], under models: Range<Int>) throws -> [[Float]]
}

/// Comparisons that one model's gradient is computed on.
package struct TrainingBatch {
    /// Which model.
    package let model: Int
    /// Its comparisons.
    package let comparisons: [TokenizedComparison]

    /// States the batch of a model.
    package init(model: Int, comparisons: [TokenizedComparison]) {
        self.model = model
        self.comparisons = comparisons
    }
}

/// Reward models trained side by side, one per group: all that the mixture's algorithm needs to know of a model.
///
/// Models that follow one another may be heads on one backbone. What is trained is a *vector* of weights: a model's, or
/// a backbone's with those of its heads. `LanguageModelRewards` is the real thing; tests use linear rewards of feature
/// vectors.
package protocol RewardModels: RewardScorer, AnyObject {
    /// How many models share a vector; 1: each has its own.
    var heads: Int { get }
    /// Forgets optimizer state and gradients: an M-step of these ranks begins.
    func beginTraining(_ settings: RewardMixtureSettings, over communicator: any Communicator)
    /// Frees what only training needs: an M-step is over. Every rank calls it.
    func endTraining(over communicator: any Communicator) throws
    /// Adds the gradient of −Σ log p over each batch's comparisons to its model's, and returns each batch's loss.
    func addGradients(of batches: [TrainingBatch]) throws -> [Double]
    /// Sums all models' gradients over all shards, for `update`: `work(i)` adds those of the i-th of this rank's shards
    /// to the gradients, which are zero before.
    func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws
    /// One optimizer step of one vector with `gradientScale` times its gradient; returns the norm of the scaled
    /// gradient before clipping. A non-finite norm changes nothing. Every rank calls it.
    func update(
        _ vector: Int,
        gradientScale: Float,
        learningRate: Float,
        over communicator: any Communicator
    ) throws -> Double

    /// The weights of all vectors, in place, as vectors `name.0`, `name.1` and so on; in training, of this rank's
    /// slices.
    func weightVectors(_ name: String) -> [StateVector]
    /// What training under way has, in place: weights, best weights and the optimizers' moments.
    var trainingVectors: [StateVector] { get }
    /// What must have the same bits on every rank in training.
    var replicas: [Tensor] { get }
    /// Goes on with training whose vectors a saved state filled, after so many updates of each vector. Every rank
    /// calls it.
    func resumeTraining(updates: [Int], over communicator: any Communicator) throws

    /// How many weights a reward head has.
    var headWidth: Int { get }
    /// Of each user the mean gradient of log p over the comparisons with respect to one model's head weights, users ×
    /// headWidth; zeros without comparisons.
    func headGradients(of comparisons: [[TokenizedComparison]], under model: Int) throws -> [[Float]]

    /// Remembers one vector's weights, in training.
    func saveBest(of vector: Int)
    /// Returns to the best weights of a vector, before training ends.
    func restoreWeights(of vector: Int)
    /// Multiplies all of one model's rewards by a factor, through its head.
    func scaleRewards(of model: Int, by factor: Float)
    /// Returns to the weights that the model had before any training, as far as they are its own: a head on a backbone
    /// that others use keeps that.
    func resetWeights(of model: Int)
    /// One vector's trained weights, in place, outside training: read them, and change them by `setWeights`.
    func weights(of vector: Int) -> Tensor
    /// Takes over weights that were copied or saved earlier.
    func setWeights(_ weights: Tensor, of vector: Int)
    /// Takes the weights of another model of the same shape, with its backbone.
    func copyWeights(to model: Int, from other: Self, model otherModel: Int)
}

extension RewardModels {
    /// How many vectors of weights there are.
    package var vectors: Int { count / heads }

    /// Whole on every rank.
    package func weightVectors(_ name: String) -> [StateVector] {
        (0..<vectors).map { StateVector("\(name).\($0)", weights(of: $0)) }
    }

    /// Copies of the weights of all vectors.
    func copiedWeights() -> [Tensor] { (0..<vectors).map { weights(of: $0).copied() } }

    /// Takes over the weights that a saved state has under a name.
    func fillWeights(_ name: String, from saved: any SavedState) throws {
        let copies = copiedWeights()
        try saved.fill(stateVectors(copies, name))
        for vector in 0..<vectors { setWeights(copies[vector], of: vector) }
    }
}

/// Tensors as the vectors `name.0`, `name.1` and so on.
private func stateVectors(_ tensors: [Tensor], _ name: String) -> [StateVector] {
    tensors.enumerated().map { StateVector("\(name).\($0)", $1) }
}
