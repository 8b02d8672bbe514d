/// Why EM ended.
package enum StopReason: String, Codable, Sendable {
    /// No user's assignment changed.
    case noChange = "no assignment changed"
    /// The total log-likelihood gained less than `tolerance` of itself.
    case noGain = "log-likelihood gain below tolerance"
    /// `maxIterations` were made.
    case maxIterations = "iteration limit"
    /// The groups were known: one M-step is all there is.
    case known = "groups known"
}

/// Whether EM ends after an iteration, and why; nil: it goes on.
///
/// `changes` counts users whose group changed; `shift` is the largest change of any responsibility: soft assignment has
/// not settled while it exceeds 0.01. `settled` is false while the temperature is above 1 or a group has just been
/// seeded: only the iteration limit then ends EM.
func stopReason(
    iteration: Int,
    changes: Int,
    shift: Double,
    logLikelihood: Double,
    previous: Double?,
    settled: Bool,
    assignment: AssignmentRule,
    settings: RewardMixtureSettings
) -> StopReason? {
    if assignment == .known { return .known }
    if settled {
        if changes == 0, assignment == .hard || shift < 0.01 { return .noChange }
        if let previous, logLikelihood - previous < settings.tolerance * abs(previous) { return .noGain }
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
