public import Collectives

/// Reward models that can be asked, and no more.
public protocol RewardScorer {
    /// What a comparison is to these models.
    associatedtype Comparison

    /// How many models there are.
    var count: Int { get }

    /// Δ(c) = r(x, y⁺) − r(x, y⁻) of each comparison under one model.
    func margins(of comparisons: [Comparison], under model: Int) -> [Float]
}

/// Reward models trained side by side, one per group: all that the mixture's algorithm needs to know of a model.
///
/// `LanguageModelRewards` is the real thing; tests use linear rewards of feature vectors.
public protocol RewardModels: RewardScorer, AnyObject {
    /// A copy of one model's trained weights.
    associatedtype Weights

    /// Forgets optimiser state and gradients: an M-step begins.
    func beginTraining(_ settings: RewardMixtureSettings)
    /// Frees what only training needs: an M-step is over.
    func endTraining()
    /// Sets all gradients to zero.
    func zeroGradients()
    /// Adds the gradient of a loss over `comparisons` to one model's: `loss` gives d loss / dΔ for the margins it is
    /// handed, and is called once for each part of the comparisons that fits into a forward pass, in order.
    func addGradient(of comparisons: [Comparison], to model: Int, loss: ([Float]) -> [Float])
    /// Sums all models' gradients and `statistics` (two numbers per model) over the ranks, in one all-reduce.
    func allReduceGradients(_ statistics: inout [Float], over communicator: any Communicator) throws
    /// One optimiser step of one model with `gradientScale` times its gradient; returns the norm of the scaled gradient
    /// before clipping. A non-finite norm changes nothing.
    func update(_ model: Int, gradientScale: Float, learningRate: Float) -> Double

    /// How many weights a reward head has.
    var headWidth: Int { get }
    /// The mean gradient of log σ(Δ) over comparisons with respect to one model's head weights, [headWidth]; zeros without
    /// comparisons. May overwrite the gradients.
    func headGradient(of comparisons: [Comparison], under model: Int) -> [Float]

    /// Remembers one model's weights.
    func keepWeights(of model: Int)
    /// Returns to the remembered weights.
    func restoreWeights(of model: Int)
    /// Returns to the weights that the model had before any training.
    func resetWeights(of model: Int)
    /// A copy of one model's weights, to come back to.
    func weights(of model: Int) -> Weights
    /// Goes back to weights copied earlier.
    func setWeights(_ weights: Weights, of model: Int)
    /// Takes the weights of another model of the same shape.
    func copyWeights(to model: Int, from other: Self, model otherModel: Int)
}
