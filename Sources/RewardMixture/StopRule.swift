/// EM stops after so many iterations without a higher log-likelihood.
private let emPatience = 2

/// Why EM ended.
package enum StopReason: String, Codable, Sendable {
    /// No user's assignment changed.
    case noChange = "no assignment changed"
    /// The log-likelihood did not rise for two iterations.
    case noGain = "log-likelihood did not rise"
    /// `maxIterations` were made.
    case maxIterations = "iteration limit"
    /// The groups were known: one M-step is all there is.
    case known = "groups known"
    /// One group is all: the single model is its model.
    case oneGroup = "one group"
}

/// Whether EM ends after an iteration, and why; nil: another one follows.
///
/// `changes` counts users whose group changed; `shift` is the largest change of any responsibility: soft assignment has
/// not settled while it exceeds 0.01. `isFinished` is false while the temperature is above 1 or where a group was
/// seeded at the end of this iteration: only the iteration limit then ends EM.
func stopReason(
    iteration: Int,
    changes: Int,
    shift: Double,
    iterationsWithoutGain: Int,
    isFinished: Bool,
    settings: RewardMixtureSettings
) -> StopReason? {
    if settings.assignment == .known { return .known }
    if isFinished {
        if changes == 0, settings.assignment == .hard || shift < 0.01 { return .noChange }
        if iterationsWithoutGain >= emPatience { return .noGain }
    }
    return iteration >= settings.maxIterations ? .maxIterations : nil
}

/// How many users' likeliest group differs.
func changedAssignments(_ before: [[Double]], _ after: [[Double]]) -> Int {
    zip(before, after).count { argmax($0) != argmax($1) }
}

/// The largest difference between two responsibilities of the same user and group.
func largestShift(_ before: [[Double]], _ after: [[Double]]) -> Double {
    zip(before, after).reduce(0) { largest, rows in
        zip(rows.0, rows.1).reduce(largest) { max($0, abs($1.0 - $1.1)) }
    }
}
