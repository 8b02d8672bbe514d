import Failures
import Preferences
import Randomness

/// Each user's group in the first M-step.
///
/// `seeds`: sets of users that may seed a second group beside the single model, the best first.
func startGroups(
    of users: [UserInfo],
    groups: Int,
    labels: [String]?,
    seeds: () throws -> [[Int]],
    settings: RewardMixtureSettings,
    restart: Int
) throws -> [Int] {
    let start = settings.assignment == .known ? .labels : settings.start
    switch start {
    case .labels where restart == 0:
        return labelledGroups(of: users, labels ?? [])
    case .roundRobin:
        return roundRobinStart(users: users.count, groups: groups, seed: settings.seed, restart: restart)
    case .random, .labels:
        return randomStart(users: users.count, groups: groups, seed: settings.seed, restart: restart)
    case .residual:
        // The single model is group 0; further groups are seeded one per iteration by `expectationMaximization`.
        let everyoneInGroup0 = users.map { _ in 0 }
        guard groups > 1 else { return everyoneInGroup0 }
        let seeds = try seeds()
        // A further start takes the next best split; where there are no more, users are dealt at random.
        if restart < seeds.count { return everyoneInGroup0.indices.map { seeds[restart].contains($0) ? 1 : 0 } }
        return restart == 0
            ? everyoneInGroup0
            : randomStart(users: users.count, groups: groups, seed: settings.seed, restart: restart)
    }
}

/// The group labels of the data, sorted by their UTF-8 bytes.
func knownLabels(_ members: [UserInfo], _ settings: RewardMixtureSettings) throws -> [String] {
    let labels = try members.map { user in
        guard let label = user.group else {
            throw Failure(
                .badData,
                "user \"\(user.id)\" has no group label, which "
                    + (settings.assignment == .known
                        ? "reward.assignment: known needs; use hard or soft"
                        : "reward.start: labels needs; use residual")
            )
        }
        return label
    }
    return Set(labels).sorted(by: precedes)
}

/// Each user's group where a group is a label.
func labelledGroups(of users: [UserInfo], _ labels: [String]) -> [Int] {
    users.map { user in labels.firstIndex { $0 == user.group } ?? 0 }
}

/// The paper's start: user number h in group h mod K; a further start deals the users in a random order.
func roundRobinStart(users: Int, groups: Int, seed: UInt64, restart: Int) -> [Int] {
    let dealt = (0..<users).map { $0 % groups }
    return restart == 0 ? dealt : shuffled(dealt, seed: seed, restart: restart)
}

/// Users in a random order, dealt to the groups in turn, so that no group starts empty.
func randomStart(users: Int, groups: Int, seed: UInt64, restart: Int) -> [Int] {
    shuffled((0..<users).map { $0 % groups }, seed: seed, restart: restart)
}

private func shuffled(_ assignments: [Int], seed: UInt64, restart: Int) -> [Int] {
    var random = CounterRandom(seed: seed, purpose: .start, item: restart)
    return assignments.shuffled(using: &random)
}

/// How many users, worst explained first, the search for a new group starts from: all of a few hundred, so that one
/// user among a hundred is found.
private let mostAnchors = 256

/// Sets of users that may seed a new group, the best first; none where no split of the users has a gain that
/// comparisons confirm which it was not made of.
///
/// `models`: F of each of K groups, as EM has them. `logLikelihoods`: [U][K] on `assign`, −∞ under models that do not
/// count. How well a user is explained only orders the starts of the search, since some people's comparisons are closer
/// calls than others': in three 10:1 mixtures of film-review users the minority's two were explained 5th and 12th, 1st
/// and 7th, and 1st and 2nd worst of 22. The directions in which users' unexplained choices pull decide
/// (`residualSplits`); they found these two in all three.
func seeds(
    _ users: ShardedUsers,
    logLikelihoods: [[Double]],
    models: some RewardModels,
    folds: Int
) throws -> [[Int]] {
    let anchors = Array(
        worstExplained(logLikelihoods, assignCounts: users.members.map(\.assignCount)).prefix(mostAnchors)
    )
    // A fold's models have been fitted to its `fit` comparisons, and `assign` is new to them.
    let splits = try (0..<folds).flatMap { fold in
        let groups = logLikelihoods.first?.count ?? 1
        func residuals(_ use: (ComparisonSplit.Part) -> [Int]) throws -> Residuals {
            try unexplained(users, logLikelihoods: logLikelihoods, models: models, firstModel: fold * groups) {
                use($0.emParts[fold])
            }
        }
        return try residualSplits(fit: residuals(\.fit), check: residuals(\.assign), anchors: anchors)
    }
    return differentSplits(splits).map(\.side)
}

/// What each user's best present model leaves unexplained of some of the user's comparisons.
private func unexplained(
    _ users: ShardedUsers,
    logLikelihoods: [[Double]],
    models: some RewardModels,
    firstModel: Int,
    _ use: (ComparisonSplit) -> [Int]
) throws -> Residuals {
    let width = models.headWidth
    let rows = try users.gatherRows(width: width + 1) { locals in
        let comparisons = locals.map { $0.user.comparisons(use($0.user.split)) }
        let bestModels = locals.map { firstModel + argmax(logLikelihoods[$0.index]) }
        var rows = comparisons.map { own in
            Array(repeating: 0.0, count: width) + [own.reduce(0) { $0 + $1.weight }]
        }
        for model in Set(bestModels).sorted() {
            let users = bestModels.indices.filter { bestModels[$0] == model }
            let gradients = try models.headGradients(of: users.map { comparisons[$0] }, under: model)
            for (user, gradient) in zip(users, gradients) {
                for (column, value) in gradient.enumerated() { rows[user][column] = Double(value) }
            }
        }
        return rows
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
