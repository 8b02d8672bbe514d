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

/// The users that seed a new group: those whose `assign` comparisons the present models explain worst.
///
/// `meanLogLikelihoods`: per user, per comparison, under the user's best present model; nil for users without `assign`
/// comparisons, who never seed. Returned ascending.
///
/// How many: sorted from the worst, users are cut where the variance between the two sides is largest (Otsu's threshold,
/// the exact 2-means of a line), with at most half of them on the worst side. If the sides are well apart (the cut's gap
/// in means exceeds `separation` times the spread within the sides) the worst side is a group that the models miss, be it 1 of 22 or 11 of 22,
/// and seeds all of it. Otherwise the models are a compromise that explains everyone about alike, as with equal groups,
/// and the worst quarter seeds: few enough to lean to one group, many enough to train a model on; the E-step amplifies
/// the lean.
func worstExplained(_ meanLogLikelihoods: [Double?], separation: Double = 3) -> [Int] {
    let sorted = meanLogLikelihoods.indices
        .compactMap { index in meanLogLikelihoods[index].map { (index: index, value: $0) } }
        .sorted { ($0.value, $0.index) < ($1.value, $1.index) }
    guard sorted.count > 1 else { return [] }
    let values = sorted.map(\.value)
    var best = (cut: 1, between: -1.0, apart: false)
    for cut in 1...(values.count / 2) {
        let low = mean(values[..<cut])
        let high = mean(values[cut...])
        let between = Double(cut * (values.count - cut)) * (high - low) * (high - low)
        if between > best.between {
            let within =
                values[..<cut].reduce(0) { $0 + ($1 - low) * ($1 - low) }
                + values[cut...].reduce(0) { $0 + ($1 - high) * ($1 - high) }
            let spread = (within / Double(max(1, values.count - 2))).squareRoot()
            best = (cut, between, high - low > separation * spread)
        }
    }
    let count = best.apart ? best.cut : max(1, values.count / 4)
    return sorted.prefix(count).map(\.index).sorted()
}

private func mean(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
}

/// Responsibilities after the group `group` has been seeded with the users that the mixture explains worst, or unchanged
/// where no user can be spared.
///
/// `explained`: [U], log-likelihood per comparison under the mixture; nil without comparisons.
func seeding(
    group: Int,
    in responsibilities: [[Double]],
    explained: [Double?]
) -> (responsibilities: [[Double]], seeds: [Int]) {
    let seeds = worstExplained(explained)
    var seeded = responsibilities
    for user in seeds { seeded[user] = oneHot([group], groups: responsibilities[user].count)[0] }
    return (seeded, seeds)
}
