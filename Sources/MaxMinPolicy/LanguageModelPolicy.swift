package import Collectives
package import LanguageModels
package import Optimizers
package import Randomness
import Tensors

/// A language model with its optimizer, trained as a policy.
package final class LanguageModelPolicy: TrainablePolicy {
    /// The model that is trained, in place.
    package let model: LanguageModel
    /// The state of training besides the weights.
    package let optimizer: AdamW
    private let gradientSum: GradientSum
    private let seed: UInt64

    /// Trains `model`, which has a value head for `ppo` and needs none for `rloo`, on the ranks of `communicator`.
    ///
    /// `seed` is that of its adapters' dropout.
    package init(
        _ model: LanguageModel,
        settings: OptimizerSettings,
        seed: UInt64,
        by reduction: GradientReduction = .reproducible,
        over communicator: any Communicator
    ) {
        self.model = model
        self.seed = seed
        optimizer = AdamW(training: model, settings, by: reduction, over: communicator)
        gradientSum = GradientSum(of: model.trainableGradients, by: reduction)
    }

    /// A policy that starts as a copy of the reference, or as new adapters over it, with the head that the algorithm
    /// needs.
    package convenience init(
        startingFrom reference: LanguageModel,
        trainable: TrainableParameters = .full,
        algorithm: PolicySettings.Algorithm,
        settings: OptimizerSettings,
        seed: UInt64,
        by reduction: GradientReduction = .reproducible,
        over communicator: any Communicator = SoloCommunicator()
    ) {
        let model = reference.copy(head: algorithm == .ppo ? .value : .none, trainable: trainable, seed: seed)
        self.init(model, settings: settings, seed: seed, by: reduction, over: communicator)
    }

    /// Samples from the model.
    package func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample] {
        model.sample(prompts: prompts, options: options, streams: streams)
    }

    /// Scores under the model; nothing is recorded.
    package func tokenScores(of sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        model.tokenScores(of: sequences, rows: rows, temperature: temperature)
    }

    /// Scores under the model, recorded; dropout is that of the step that follows on the optimizer's last.
    package func forwardTokenScores(_ sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        var random = CounterRandom(seed: seed, purpose: .dropout, step: optimizer.step)
        model.adapterDropoutKey = random.next()
        return model.forwardTokenScores(sequences, rows: rows, temperature: temperature)
    }

    /// Adds to the model's gradients.
    package func backwardTokenScores(dLogProbabilities: [Float], dValues: [Float], isLast: Bool) {
        let first = model.trainableRange.lowerBound
        model.gradientReady = isLast ? { [gradientSum] in gradientSum.settled(from: $0 - first) } : nil
        model.backwardTokenScores(dLogProbabilities: dLogProbabilities, dValues: dValues)
    }

    /// Sums the trained part of the gradients over all shards.
    package func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try gradientSum.reduce(over: shards, communicator, ofShard: work)
    }

    /// Weights and moments of this rank's slice, in place, as vectors of a training state.
    package var stateVectors: [StateVector] { optimizer.parameterVectors("weights") + optimizer.stateVectors }

    /// Goes on with vectors that a saved state filled, after so many updates; every rank calls it.
    package func resume(updates: Int, over communicator: any Communicator) throws {
        try model.resumeTraining(by: optimizer, updates: updates, over: communicator)
    }

    /// Gives this rank all weights of the model, when training has ended; every rank calls it.
    package func finish(over communicator: any Communicator) throws {
        try model.gatherMasters(of: optimizer, over: communicator)
    }

    /// One AdamW step.
    package func update(learningRate: Float, over communicator: any Communicator) throws -> Double {
        let norm = try optimizer.update(learningRate: learningRate, over: communicator)
        model.parametersDidChange()
        return norm
    }
}
