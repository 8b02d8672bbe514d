package import Collectives
package import LanguageModels
package import Optimizers
package import Randomness
package import Tensors
import Training

/// A language model that is trained as a policy.
package final class LanguageModelPolicy: TrainablePolicy {
    /// The model that is trained, in place.
    package let model: LanguageModel
    private let trainer: Trainer
    private let seed: UInt64

    /// Trains `model`, which has the head that the algorithm needs, on the ranks of `communicator`.
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
        trainer = Trainer([model], by: reduction)
        trainer.begin(settings, over: communicator)
    }

    /// A policy that starts as a copy of the reference, or as new adapters over it, with this head.
    package convenience init(
        startingFrom reference: LanguageModel,
        trainable: TrainableParameters = .full,
        head: Head,
        settings: OptimizerSettings,
        seed: UInt64,
        by reduction: GradientReduction = .reproducible,
        over communicator: any Communicator = SoloCommunicator()
    ) {
        let model = reference.copy(head: head, trainable: trainable, seed: seed)
        self.init(model, settings: settings, seed: seed, by: reduction, over: communicator)
    }

    /// Samples from the model.
    package func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample] {
        model.sample(prompts: prompts, options: options, streams: streams)
    }

    /// Scores under the model and the reference; nothing is recorded.
    package func tokenScores(
        of sequences: PackedSequences,
        rows: [Int32],
        temperature: Float,
        against reference: LanguageModel
    ) -> ComparedScores {
        model.tokenScores(of: sequences, rows: rows, temperature: temperature, against: reference)
    }

    /// Scores under the model, recorded; dropout is that of the step that follows on the optimizer's last.
    package func forwardTokenScores(_ sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        var random = CounterRandom(seed: seed, purpose: .dropout, step: updates)
        model.adapterDropoutKey = random.next()
        return model.forwardTokenScores(sequences, rows: rows, temperature: temperature)
    }

    /// Adds to the model's gradients.
    package func backwardTokenScores(dLogProbabilities: [Float], dValues: [Float], isLast: Bool) {
        trainer.backward(of: model, completing: isLast ? 0 : nil) {
            model.backwardTokenScores(dLogProbabilities: dLogProbabilities, dValues: dValues)
        }
    }

    /// Sums the trained part of the gradients over all shards.
    package func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try trainer.sumGradients(over: shards, communicator, ofShard: work)
    }

    /// Weights and moments of this rank's slice, in place, as vectors of a training state.
    package var stateVectors: [StateVector] { trainer.stateVectors }

    /// How many updates were made.
    package var updates: Int { trainer.updates() }

    /// What must have the same bits on every rank.
    package var replicas: [Tensor] { trainer.replicas }

    /// Goes on with vectors that a saved state filled, after so many updates; every rank calls it.
    package func resume(updates: Int, over communicator: any Communicator) throws {
        try trainer.resume(updates: [updates], over: communicator)
    }

    /// Gives this rank all weights of the model, when training has ended; every rank calls it.
    package func finish(over communicator: any Communicator) throws {
        try trainer.end(over: communicator)
    }

    /// One AdamW step.
    package func update(learningRate: Float, over communicator: any Communicator) throws -> Double {
        try trainer.update(learningRate: learningRate, over: communicator)
    }
}
