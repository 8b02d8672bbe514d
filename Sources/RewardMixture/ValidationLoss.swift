import Foundation
import Preferences

/// A model's loss per comparison on comparisons that it was not trained on, once its rewards are damped as far as they
/// are overconfident.
///
///     loss = min over s ≤ 1 of −mean log p(s·r)
///
/// A model that has fitted its comparisons closely is right as often as before but too sure of itself, and its plain
/// loss rises. Measured on 1,540 comparisons of film reviews: from step 80 to step 160 accuracy on others' rose from 63
/// % to 66 %, and the plain loss from 0.635 to 0.649; with s = 0.5 it fell to 0.610. The factor (temperature scaling,
/// arXiv 1706.04599) is kept with the weights: an E-step compares models by how sure they are. It never exceeds 1: a
/// slice that is small enough to be decided rightly throughout would ask for ∞.
struct ValidationLoss {
    /// Loss per comparison at the best factor.
    let loss: Double
    /// s.
    let rewardScale: Double

    /// The factors tried: 1, 2^−¼, …, 2^−4.
    static let factors = (0...16).map { pow(2, -Double($0) / 4) }

    /// −Σ log p for each factor s, each comparison by its weight.
    static func sums(_ scored: [(comparison: TokenizedComparison, rewards: ArraySlice<Float>)]) -> [Double] {
        factors.map { factor in
            -scored.reduce(0) { sum, own in
                let order = logProbability(ofOrder: own.rewards, ranked: own.comparison.ranked, scale: factor)
                return sum + own.comparison.weight * order
            }
        }
    }

    /// The best of the sums over `weight` comparisons.
    ///
    /// A loss that is not finite at factor 1 stays so.
    init(sums: [Double], weight: Double) {
        precondition(sums.count == Self.factors.count, "one sum for each factor")
        let best = sums[0].isFinite ? sums.indices.min { sums[$0] < sums[$1] } ?? 0 : 0
        loss = sums[best] / weight
        rewardScale = Self.factors[best]
    }
}

/// Each group's loss on the validation slice of its users, weighted by responsibility.
///
/// A group none of whose users has a validation comparison (users with very few comparisons) is judged by its `fit`
/// comparisons: its budget then ends where they are fitted.
func validationLosses(
    of groups: [Int],
    _ models: some RewardModels,
    users: ShardedUsers,
    responsibilities: [[Double]]
) throws -> [ValidationLoss] {
    try groups.map { group in
        let takesPart = { (index: Int) in responsibilities[index][group] >= ComparisonSampler.negligible }
        let hasValidation = users.members.indices.contains { takesPart($0) && users.members[$0].validationCount > 0 }
        let use = hasValidation ? \ComparisonSplit.validation : \.fit
        let counts = users.members.map { hasValidation ? $0.validationCount : $0.fitCount }
        let factors = ValidationLoss.factors.count
        let userSums = try users.gatherRows(width: factors) { locals in
            let taking = locals.filter { takesPart($0.index) }
            var rewards = try users.rewards(use, of: taking, under: group..<group + 1, models).makeIterator()
            return locals.map { local in
                guard takesPart(local.index), let own = rewards.next() else {
                    return Array(repeating: 0, count: factors)
                }
                return ValidationLoss.sums(own[0])
            }
        }
        var sums = Array(repeating: 0.0, count: factors)
        var weight = 0.0
        for index in users.members.indices where takesPart(index) {
            for factor in sums.indices { sums[factor] += responsibilities[index][group] * userSums[index][factor] }
            weight += responsibilities[index][group] * counts[index]
        }
        return ValidationLoss(sums: sums, weight: weight)
    }
}
