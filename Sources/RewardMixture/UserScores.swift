package import Collectives
import Failures
import Preferences

/// How every model explains every user: computed where the users are, known to every rank.
package struct UserScores: Equatable, Codable, Sendable {
    /// U users, sorted by the UTF-8 bytes of their ids: the row order of the matrices.
    package let members: [UserInfo]
    /// [U][F][K]: Σ log p_u(c) over the user's `assign` comparisons of each fold, each by its weight, under models that
    /// have not seen them.
    package let foldLogLikelihoods: [[[Double]]]
    /// [U][K]: how many of the user's `assign` comparisons those models decide rightly, of rankings the part of their
    /// pairs; equal rewards count half, ties of the user not at all.
    package let assignCorrect: [[Double]]
    /// [U][K]: the same of `test`.
    package let testCorrect: [[Double]]
    /// [U][K]: Σ log p_u(c) over the user's `test` comparisons, each by its weight, under models that are trained on
    /// all others.
    package let testLogLikelihoods: [[Double]]

    /// States scores.
    package init(
        members: [UserInfo],
        foldLogLikelihoods: [[[Double]]],
        assignCorrect: [[Double]],
        testCorrect: [[Double]],
        testLogLikelihoods: [[Double]]
    ) {
        self.members = members
        self.foldLogLikelihoods = foldLogLikelihoods
        self.assignCorrect = assignCorrect
        self.testCorrect = testCorrect
        self.testLogLikelihoods = testLogLikelihoods
    }

    /// [U][K]: ℓ_h(u), over all folds.
    package var logLikelihoods: [[Double]] {
        foldLogLikelihoods.map { folds in
            folds.dropFirst().reduce(folds[0]) { sums, fold in zip(sums, fold).map { $0 + $1 } }
        }
    }

    /// Accuracy of one model on the `test` comparisons of some users (rows of the matrices); nil without comparisons.
    package func testAccuracy(of model: Int, users: [Int]) -> Double? {
        accuracy(testCorrect, of: \.testCount, under: model, users: users)
    }

    /// Of each group's model on the `test` comparisons of the users assigned to it; nil without any.
    func testAccuracies(_ assignments: [Int], groups: Int) -> [Double?] {
        accuracies(testCorrect, of: \.testCount, assignments, groups: groups)
    }

    /// Of each group's models on the `assign` comparisons of the users assigned to it; nil without any.
    func assignAccuracies(_ assignments: [Int], groups: Int) -> [Double?] {
        accuracies(assignCorrect, of: \.assignDecided, assignments, groups: groups)
    }

    private func accuracies(
        _ correct: [[Double]],
        of count: KeyPath<UserInfo, Int>,
        _ assignments: [Int],
        groups: Int
    ) -> [Double?] {
        (0..<groups).map { group in
            accuracy(correct, of: count, under: group, users: assignments.indices.filter { assignments[$0] == group })
        }
    }

    private func accuracy(
        _ correct: [[Double]],
        of count: KeyPath<UserInfo, Int>,
        under model: Int,
        users: [Int]
    ) -> Double? {
        let total = users.reduce(0) { $0 + members[$1][keyPath: count] }
        return total == 0 ? nil : users.reduce(0) { $0 + correct[$1][model] } / Double(total)
    }

    /// [U][K]: posterior probability of each group, η_u·exp(ℓ(u)) normalized, from the `assign` comparisons alone.
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

/// Scores users under every model, whether or not the models were trained on them; each user's split has one fold.
///
/// Every rank calls this with its own users. Throws `internalError` on all ranks where a reward is not finite.
package func scoreUsers(
    _ users: [ShardedUser],
    under models: some RewardScorer,
    over communicator: any Communicator
) throws -> UserScores {
    try score(
        ShardedUsers(users, over: communicator),
        under: models,
        folds: 1,
        groups: models.count,
        test: 0..<models.count,
        named: "scoring users"
    )
}

/// Scores users under the models of K groups: model `f·K + u` is that of group u which has not seen fold f.
///
/// `test`: the K models that are asked for `test` comparisons; nil: none is, and all that is said of them is 0.
/// `looked` is told how many of how many shards of this rank are scored.
func score(
    _ users: ShardedUsers,
    under models: some RewardScorer,
    folds: Int,
    groups: Int,
    test: Range<Int>? = nil,
    named name: String,
    looked: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
) throws -> UserScores {
    let shards = users.localShards.count * (folds + (test == nil ? 0 : 1))
    var done = 0
    // Of each user the groups' log-likelihoods, then how many comparisons they decide rightly.
    func told(_ use: (ComparisonSplit) -> [Int], by range: Range<Int>) throws -> [[Double]] {
        let rows = try users.gatherRows(
            width: 2 * groups,
            looked: {
                done += 1
                try looked(done, shards)
            }
        ) { locals in
            try users.rewards(of: locals, use, under: range, models).map { $0.map(logLikelihood) + $0.map(correct) }
        }
        for (user, row) in zip(users.members, rows) where !row.allSatisfy(\.isFinite) {
            throw Failure(.internalError, "rewards of user \"\(user.id)\" are not finite in the fit \"\(name)\"")
        }
        return rows
    }
    let assigned = try (0..<folds).map { fold in
        try told({ $0.emParts[fold].assign }, by: fold * groups..<(fold + 1) * groups)
    }
    let tested =
        try test.map { try told(\.test, by: $0) } ?? users.members.map { _ in Array(repeating: 0, count: 2 * groups) }
    return UserScores(
        members: users.members,
        foldLogLikelihoods: users.members.indices.map { user in assigned.map { Array($0[user][..<groups]) } },
        assignCorrect: users.members.indices.map { user in
            (0..<groups).map { group in assigned.reduce(0) { $0 + $1[user][groups + group] } }
        },
        testCorrect: tested.map { Array($0[groups...]) },
        testLogLikelihoods: tested.map { Array($0[..<groups]) }
    )
}

/// Σ log p of comparisons, each by its weight.
private func logLikelihood(_ scored: [ScoredComparison]) -> Double {
    scored.reduce(0) {
        $0 + $1.comparison.weight * logProbability(ofOrder: $1.rewards, ranked: $1.comparison.ranked)
    }
}

/// How many comparisons are decided rightly; ties of the user are left out.
private func correct(_ scored: [ScoredComparison]) -> Double {
    scored.filter { $0.comparison.weight == 1 }.reduce(0) {
        $0 + concordance($1.rewards, ranked: $1.comparison.ranked)
    }
}
