package import Collectives
import Failures
import Preferences

/// How every model explains every user: computed where the users are, known to every rank.
package struct UserScores: Equatable, Codable, Sendable {
    /// U users, sorted by the UTF-8 bytes of their ids: the row order of the matrices.
    package let members: [UserInfo]
    /// [U][K]: ℓ_h(u) = Σ log p_u(c) over the user's `assign` comparisons, each by its weight.
    package let logLikelihoods: [[Double]]
    /// [U][K]: how many of the user's `test` comparisons each model decides rightly, of rankings the part of their
    /// pairs; equal rewards count half, ties of the user not at all.
    package let testCorrect: [[Double]]

    /// States scores.
    package init(members: [UserInfo], logLikelihoods: [[Double]], testCorrect: [[Double]]) {
        self.members = members
        self.logLikelihoods = logLikelihoods
        self.testCorrect = testCorrect
    }

    /// Accuracy of one model on the `test` comparisons of some users (rows of the matrices); nil without comparisons.
    package func testAccuracy(of model: Int, users: [Int]) -> Double? {
        let total = users.reduce(0) { $0 + members[$1].testCount }
        return total == 0 ? nil : users.reduce(0) { $0 + testCorrect[$1][model] } / Double(total)
    }

    /// [U][K]: posterior probability of each group, η_u·exp(ℓ(u)) normalized, from the `assign` comparisons alone: of
    /// new users, or whole users held out from training.
    ///
    /// `shares`: the mixture's η; few comparisons leave the posterior near it. The likelihoods take the reward models
    /// as exact; where those are overconfident, so is the posterior.
    package func posteriors(shares: [Double]) -> [[Double]] {
        softResponsibilities(logLikelihoods, shares: shares, temperature: 1)
    }

    /// Total log-likelihood per `assign` comparison.
    func perComparison(_ total: Double) -> Double {
        total / max(1, members.reduce(0) { $0 + $1.assignCount })
    }
}

/// Scores users under every model, whether or not the models were trained on them.
///
/// Every rank calls this with its own users. Throws `internalError` on all ranks where a reward is not finite.
package func scoreUsers(
    _ users: [ShardedUser],
    under models: some RewardScorer,
    over communicator: any Communicator
) throws -> UserScores {
    try score(ShardedUsers(users, over: communicator), under: models, stage: "scoring users")
}

func score(
    _ users: ShardedUsers,
    under models: some RewardScorer,
    stage: String
) throws -> UserScores {
    let everyModel = 0..<models.count
    let logLikelihoods = try users.gatherRows(width: models.count) { locals in
        try users.rewards(\.assign, of: locals, under: everyModel, models).map { row in
            row.map {
                $0.reduce(0) {
                    $0 + $1.comparison.weight * logProbability(ofOrder: $1.rewards, ranked: $1.comparison.ranked)
                }
            }
        }
    }
    for (user, row) in zip(users.members, logLikelihoods) where !row.allSatisfy(\.isFinite) {
        throw Failure(.internalError, "rewards of user \"\(user.id)\" are not finite in stage \"\(stage)\"")
    }
    let testCorrect = try users.gatherRows(width: models.count) { locals in
        try users.rewards(\.test, of: locals, under: everyModel, models).map { row in
            row.map { scored in
                scored.filter { $0.comparison.weight == 1 }.reduce(0) {
                    $0 + concordance($1.rewards, ranked: $1.comparison.ranked)
                }
            }
        }
    }
    return UserScores(members: users.members, logLikelihoods: logLikelihoods, testCorrect: testCorrect)
}
