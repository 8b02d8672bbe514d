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

/// The users that the present models explain worst, worst first, and whether they stand apart from the rest.
///
/// `explained`: [U], log-likelihood per `assign` comparison under the user's best present model; nil for a user without
/// any, who is left out. The cut is where the variance between the two sides is largest (Otsu's threshold, the exact 2-means of a
/// line) with at most half of the users on the worst side; `apart` counts those on the worst side if their mean lies
/// more than three spreads below the others', else it is 0.
func worstExplained(_ explained: [Double?]) -> (order: [Int], apart: Int) {
    let sorted = explained.indices
        .compactMap { index in explained[index].map { (index: index, value: $0) } }
        .sorted { ($0.value, $0.index) < ($1.value, $1.index) }
    let values = sorted.map(\.value)
    var best = (between: -1.0, apart: 0)
    for cut in 0..<values.count / 2 {
        let worst = values[...cut]
        let rest = values[(cut + 1)...]
        let gap = mean(rest) - mean(worst)
        let between = Double(worst.count * rest.count) * gap * gap
        if between > best.between {
            let within = squaredDeviations(worst) + squaredDeviations(rest)
            let spread = (within / Double(max(1, values.count - 2))).squareRoot()
            best = (between, gap > 3 * spread ? worst.count : 0)
        }
    }
    return (sorted.map(\.index), best.apart)
}

private func mean(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
}

private func squaredDeviations(_ values: ArraySlice<Double>) -> Double {
    let center = mean(values)
    return values.reduce(0) { $0 + ($1 - center) * ($1 - center) }
}

/// The users that seed a new group, ascending; empty where there are too few users to split.
///
/// `logLikelihoods`: [U][K] on `assign`, −∞ under models that do not count.
///
/// If the users whose `assign` comparisons are explained worst stand apart from the rest, they are a group that the
/// models miss, be it 1 of 22 or 5, and all of them seed. Otherwise likelihood alone cannot tell: the models are
/// a compromise that explains everyone about alike, as with groups of equal size. Then the directions in which the users' unexplained choices pull
/// decide (`residualCluster`), starting from the users explained worst.
func seeds<Models: RewardModels>(
    _ users: ShardedUsers<Models.Comparison>,
    logLikelihoods: [[Double]],
    models: Models
) throws -> [Int] {
    let worst = worstExplained(explained(logLikelihoods, members: users.members))
    if worst.apart > 0 { return worst.order.prefix(worst.apart).sorted() }
    return try residualCluster(
        fit: residuals(\.fit, users, logLikelihoods: logLikelihoods, models: models),
        check: residuals(\.assign, users, logLikelihoods: logLikelihoods, models: models),
        anchors: Array(worst.order.prefix(16))
    )
}

/// What each user's best present model leaves unexplained of some of the user's comparisons.
private func residuals<Models: RewardModels>(
    _ use: KeyPath<UserComparisons<Models.Comparison>, [Models.Comparison]>,
    _ users: ShardedUsers<Models.Comparison>,
    logLikelihoods: [[Double]],
    models: Models
) throws -> Residuals {
    let width = models.headWidth
    let rows = try users.gatherRows(width: width + 1) { locals in
        locals.map { local in
            let comparisons = local.user[keyPath: use]
            let model = argmax(logLikelihoods[local.index])
            return models.headGradient(of: comparisons, under: model).map(Double.init) + [Double(comparisons.count)]
        }
    }
    return Residuals(gradients: rows.map { Array($0[..<width]) }, weights: rows.map { $0[width] })
}

/// Log-likelihood per `assign` comparison of each user under its best model; nil for a user without any.
private func explained(_ logLikelihoods: [[Double]], members: [Member]) -> [Double?] {
    zip(logLikelihoods, members).map { row, member in
        member.assignCount == 0 ? nil : row[argmax(row)] / Double(member.assignCount)
    }
}

/// Responsibilities with some users moved to one group altogether.
func moving(_ seeds: [Int], to group: Int, in responsibilities: [[Double]]) -> [[Double]] {
    var moved = responsibilities
    for user in seeds { moved[user] = oneHot([group], groups: responsibilities[user].count)[0] }
    return moved
}
