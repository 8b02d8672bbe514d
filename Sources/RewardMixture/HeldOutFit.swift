/// How well a number of groups explains comparisons that its models have not seen.
package struct HeldOutFit: Sendable {
    /// K as it was asked for, and as groups with users are left.
    package let groups, left: Int
    /// [U]: each user's log-likelihood, over all `assign` comparisons, and how many these are.
    package let users: [(logLikelihood: Double, comparisons: Double)]

    /// The log-likelihood per comparison, and its standard error, clustered by user.
    package var perComparison: ClusteredMean { ClusteredMean(users.map { ($0.logLikelihood, $0.comparisons) }) }

    /// How much more per comparison another explains of the same users, and the standard error of that.
    package func gain(of other: HeldOutFit) -> ClusteredMean {
        ClusteredMean(zip(users, other.users).map { ($1.logLikelihood - $0.logLikelihood, $0.comparisons) })
    }

    /// Of each user Σ_f log Σ_u q_{−f}(u)·exp(ℓ_f(u)): the comparisons of a fold are explained by the groups as the
    /// user's other folds place the user, q_{−f}(u) ∝ η_u·exp(Σ_{g≠f} ℓ_g(u)).
    ///
    /// So neither the models nor a user's place are fitted to the comparisons that they explain, but for the groups
    /// that EM gave the users whom the models were trained on. A group more is no better for being one more.
    /// With one fold, log Σ_u η_u·exp(ℓ(u)).
    init(groups: Int, left: Int, _ scores: UserScores, responsibilities: [[Double]]) {
        self.groups = groups
        self.left = left
        let shares = groupShares(responsibilities, groups: left)
        users = zip(scores.members, scores.foldLogLikelihoods).map { user, folds in
            let total = folds.indices.reduce(0.0) { sum, fold in
                let others = (0..<left).map { group in
                    folds.indices.filter { $0 != fold }.reduce(0) { $0 + folds[$1][group] }
                }
                let place = softResponsibilities([others], shares: shares, temperature: 1)[0]
                return sum + mixtureLogLikelihood([folds[fold]], shares: place)
            }
            return (total, user.assignCount)
        }
    }
}

/// The fewest groups that explain unseen comparisons as well as any number that was tried: those that the best one is
/// ahead of by no more than the standard error of that difference (the one-standard-error rule, paired and clustered
/// by user).
func smallestGoodFit(_ fits: [HeldOutFit]) -> Int {
    let best = fits.indices.reduce(0) { fits[$1].perComparison.mean > fits[$0].perComparison.mean ? $1 : $0 }
    return fits.indices.first { index in
        let ahead = fits[index].gain(of: fits[best])
        return ahead.mean <= ahead.standardError
    } ?? best
}

/// Σ x / Σ n over users, with a standard error that takes the comparisons of a user as one observation.
package struct ClusteredMean: Equatable, Codable, Sendable {
    /// The mean per comparison; 0 without any.
    package let mean: Double
    /// The root of U/(U − 1)·Σ (x_h − mean·n_h)² / (Σ n)², the linearized variance of a ratio of sums over U users; 0
    /// of a single user.
    package let standardError: Double

    /// States a mean that was measured.
    package init(mean: Double, standardError: Double) {
        self.mean = mean
        self.standardError = standardError
    }

    /// `users`: of each user the sum x and the number n of comparisons.
    package init(_ users: [(sum: Double, count: Double)]) {
        let total = users.reduce(0) { $0 + $1.count }
        let mean = total > 0 ? users.reduce(0) { $0 + $1.sum } / total : 0
        self.mean = mean
        let clusters = Double(users.count { $0.count > 0 })
        let squares = users.reduce(0) { $0 + ($1.sum - mean * $1.count) * ($1.sum - mean * $1.count) }
        standardError = clusters > 1 ? (clusters / (clusters - 1) * squares).squareRoot() / total : 0
    }
}
