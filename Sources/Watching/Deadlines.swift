package import Collectives

/// How long a rank may go without a sign of progress, in seconds, by kind of phase; infinite: for ever.
///
/// A sign of progress is the beginning of a phase, and the beginning or end of a collective.
package struct Deadlines: Equatable, Sendable {
    /// Of `load`, `tokenize` and `finalize`.
    package var setup = 1_800.0
    /// Of `rollout`.
    package var rollout = 3_600.0
    /// Of `score` and `reward`.
    package var score = 14_400.0
    /// Of `forward`, `backward`, `reduce` and `optimizer`.
    package var step = 3_600.0
    /// Of `save`, `commit` and `rotate`.
    package var checkpoint = 1_800.0

    /// The defaults.
    package init() {}

    /// The deadline that holds in a phase.
    package func of(_ phase: Phase) -> Double {
        switch phase {
        case .load, .tokenize, .finalize: setup
        case .rollout: rollout
        case .score, .reward: score
        case .forward, .backward, .reduce, .optimizer: step
        case .save, .commit, .rotate: checkpoint
        }
    }
}
