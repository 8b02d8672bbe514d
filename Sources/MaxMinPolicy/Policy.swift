package import Collectives
package import LanguageModels
package import Randomness

/// What rollouts need of a model: sampling and scoring.
///
/// The frozen reference is no more than this.
package protocol SamplingPolicy: AnyObject {
    /// What its divergence is measured from.
    associatedtype Reference: SamplingPolicy
    /// Samples a response to each prompt, with the same bits whatever others are sampled in the same batch;
    /// `streams[i]` gives prompt i's random numbers.
    func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample]
    /// Scores of the next token at the given packed rows under the policy and the reference, with the divergence
    /// between them. Nothing is recorded.
    func tokenScores(
        of sequences: PackedSequences,
        rows: [Int32],
        temperature: Float,
        against reference: Reference
    ) -> ComparedScores
}

/// What training needs on top: a recorded forward pass, its backward pass, and an update of the same kind on all ranks.
package protocol TrainablePolicy: SamplingPolicy {
    /// Scores of the next token at the given packed rows, recorded for `backwardTokenScores`.
    func forwardTokenScores(_ sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores
    /// Adds to the gradients, given d loss / d log-probability and d loss / d value (empty: none) at each scored row.
    ///
    /// `isLast`: whether a shard's gradient gets nothing more, so that summing it may begin.
    func backwardTokenScores(dLogProbabilities: [Float], dValues: [Float], isLast: Bool)
    /// Sums the gradients over all shards, for `update`: `work(i)` adds those of the i-th of this rank's shards to the
    /// gradients, which are zero before.
    func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws
    /// One optimizer step; returns the gradient's norm before clipping, and changes nothing where that is not finite.
    /// Every rank calls it.
    func update(learningRate: Float, over communicator: any Communicator) throws -> Double
}

extension LanguageModel: SamplingPolicy {}
