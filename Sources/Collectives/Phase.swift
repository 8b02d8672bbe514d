/// What a rank is doing: what deadlines are stated for, and where faults can be injected (docs/reliability.md).
///
/// A rank enters a phase before its work, so that a fault can be injected there, or after it, where a test spoils its
/// numbers: the work then counts to the phase before. So in training `forward` is a shard's passes in both directions.
package enum Phase: String, CaseIterable, Sendable {
    /// Reads models and data.
    case load
    /// Turns text into tokens, or learns to.
    case tokenize
    /// Samples responses.
    case rollout
    /// Computes log-probabilities or likelihoods of given text.
    case score
    /// Has rewarded the responses of a shard under every group's model.
    case reward
    /// Computes a shard's loss and its gradient.
    case forward
    /// Has computed a shard's gradient.
    case backward
    /// Sums gradients over the ranks, as far as that was not done beside the backward pass.
    case reduce
    /// Has updated the weights.
    case optimizer
    /// Writes results or a checkpoint.
    case save
    /// Makes what was written valid.
    case commit
    /// Removes old checkpoints.
    case rotate
    /// Comes to the end.
    case finalize
}

/// How a test wants the numbers of a phase spoiled.
package enum Spoiling: Sendable {
    /// One of them becomes NaN.
    case nan
    /// One bit of one of them flips.
    case bitflip
}

extension Communicator {
    /// Ranks that nobody watches: nothing happens.
    @discardableResult
    package func enter(_ phase: Phase, step: Int) throws -> Spoiling? { nil }

    /// `enter`, with numbers of the phase that a test may want to be NaN.
    package func enter<Number: BinaryFloatingPoint>(_ phase: Phase, step: Int, with numbers: inout [Number]) throws {
        guard try enter(phase, step: step) == .nan, !numbers.isEmpty else { return }
        numbers[0] = .nan
    }
}
