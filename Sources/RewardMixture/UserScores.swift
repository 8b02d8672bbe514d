package import Collectives
import Failures
import Tensors

/// How every model explains every user: computed where the users are, known to every rank.
package struct UserScores: Equatable, Codable, Sendable {
    /// U users, sorted by the UTF-8 bytes of their ids: the row order of the matrices.
    package let members: [UserInfo]
    /// [U][K]: ℓ_h(u) = Σ log σ(Δ_u(c)) over the user's `assign` comparisons.
    package let logLikelihoods: [[Double]]
    /// [U][K]: how many of the user's `test` comparisons each model decides rightly; ties count half.
    package let testCorrect: [[Double]]

    /// Accuracy of one model on the `test` comparisons of some users (rows of the matrices); nil without comparisons.
    package func testAccuracy(of model: Int, users: [Int]) -> Double? {
        let total = users.reduce(0) { $0 + members[$1].testCount }
        return total == 0 ? nil : users.reduce(0) { $0 + testCorrect[$1][model] } / Double(total)
    }

    /// Total log-likelihood per `assign` comparison.
    func perComparison(_ total: Double) -> Double {
        total / Double(max(1, members.reduce(0) { $0 + $1.assignCount }))
    }
}

/// Scores users under every model, whether or not the models were trained on them.
///
/// Every rank calls this with its own users. Throws `internalError` on all ranks where a reward is not finite.
package func scoreUsers<Models: RewardScorer>(
    _ users: [UserComparisons<Models.Comparison>],
    under models: Models,
    over communicator: any Communicator
) throws -> UserScores {
    try score(ShardedUsers(users, over: communicator), under: models, stage: "scoring users")
}

func score<Models: RewardScorer>(
    _ users: ShardedUsers<Models.Comparison>,
    under models: Models,
    stage: String
) throws -> UserScores {
    let logLikelihoods = try users.gatherRows(width: models.count) { locals in
        let columns = try users.margins(\.assign, of: locals, underAll: models)
        return locals.indices.map { row in
            columns.map { $0[row].reduce(0) { $0 + logSigmoid(Double($1)) } }
        }
    }
    for (user, row) in zip(users.members, logLikelihoods) where !row.allSatisfy(\.isFinite) {
        throw Failure(.internalError, "rewards of user \"\(user.id)\" are not finite in stage \"\(stage)\"")
    }
    let testCorrect = try users.gatherRows(width: models.count) { locals in
        let columns = try users.margins(\.test, of: locals, underAll: models)
        return locals.indices.map { row in columns.map { correctCount(margins: Array($0[row])) } }
    }
    return UserScores(members: users.members, logLikelihoods: logLikelihoods, testCorrect: testCorrect)
}
