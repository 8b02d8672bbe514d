/// The group of one user under a fitted mixture, and how sure that is.
package struct UserAssignment: Equatable, Sendable {
    /// The user.
    package let user: UserInfo
    /// The likeliest group; the lowest on ties.
    package let group: Int
    /// [K]: ℓ(u) over the user's `assign` comparisons.
    package let logLikelihoods: [Double]
    /// [K]: posterior probability of each group, η_u·exp(ℓ(u)) normalized.
    ///
    /// Few comparisons leave it near the prior η.
    package let posterior: [Double]
}

/// Assigns users from their `assign` comparisons alone: new users, or whole users held out from training.
///
/// `shares`: the mixture's η. The likelihoods take the reward models as exact; where those are overconfident, so is the
/// posterior.
package func assignUsers(_ scores: UserScores, shares: [Double]) -> [UserAssignment] {
    let posteriors = softResponsibilities(scores.logLikelihoods, shares: shares, temperature: 1)
    return scores.members.indices.map { index in
        UserAssignment(
            user: scores.members[index],
            group: argmax(posteriors[index]),
            logLikelihoods: scores.logLikelihoods[index],
            posterior: posteriors[index]
        )
    }
}
