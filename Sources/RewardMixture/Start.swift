import Preferences
import Randomness

/// The paper's start: user number h in group h mod K.
func roundRobinStart(users: Int, groups: Int) -> [Int] {
    (0..<users).map { $0 % groups }
}

/// Users in a random order, dealt to the groups in turn, so that no group starts empty.
func randomStart(users: Int, groups: Int, seed: UInt64, restart: Int) -> [Int] {
    var random = CounterRandom(seed: seed, purpose: .start, item: restart)
    var assignments = roundRobinStart(users: users, groups: groups)
    assignments.shuffle(using: &random)
    return assignments
}

/// The users that seed a new group, ascending; empty where there are too few users to split.
///
/// `logLikelihoods`: [U][K] on `assign`, −∞ under models that do not count. How well a user is explained only orders
/// the starts of the search, since some people's comparisons are closer calls than others': in three 10:1 mixtures of
/// film-review users the minority's two were explained 5th and 12th, 1st and 7th, and 1st and 2nd worst of 22. The
/// directions in which users' unexplained choices pull decide (`residualCluster`); they found these two in all three.
func seeds(
    _ users: ShardedUsers,
    logLikelihoods: [[Double]],
    models: some RewardModels
) throws -> [Int] {
    let worst = worstExplained(logLikelihoods, assignCounts: users.members.map(\.assignCount))
    return try residualCluster(
        fit: residuals(\.fit, users, logLikelihoods: logLikelihoods, models: models),
        check: residuals(\.assign, users, logLikelihoods: logLikelihoods, models: models),
        anchors: Array(worst.prefix(16))
    )
}

/// What each user's best present model leaves unexplained of some of the user's comparisons.
private func residuals(
    _ use: KeyPath<ComparisonSplit, [Int]>,
    _ users: ShardedUsers,
    logLikelihoods: [[Double]],
    models: some RewardModels
) throws -> Residuals {
    let width = models.headWidth
    let rows = try users.gatherRows(width: width + 1) { locals in
        try locals.map { local in
            let comparisons = local.user.comparisons(use)
            let model = argmax(logLikelihoods[local.index])
            return try models.headGradient(of: comparisons, under: model).map(Double.init) + [
                comparisons.reduce(0) { $0 + $1.weight }
            ]
        }
    }
    return Residuals(gradients: rows.map { Array($0[..<width]) }, weights: rows.map { $0[width] })
}

/// Users by log-likelihood per `assign` comparison under their best model, the lowest first; without those who have
/// none.
func worstExplained(_ logLikelihoods: [[Double]], assignCounts: [Double]) -> [Int] {
    let explained = zip(logLikelihoods, assignCounts).map { $0[argmax($0)] / $1 }
    return explained.indices.filter { assignCounts[$0] > 0 }.sorted { (explained[$0], $0) < (explained[$1], $1) }
}

/// Responsibilities with some users moved to one group altogether.
func moving(_ seeds: [Int], to group: Int, in responsibilities: [[Double]]) -> [[Double]] {
    var moved = responsibilities
    for user in seeds { moved[user] = oneHot([group], groups: responsibilities[user].count)[0] }
    return moved
}
