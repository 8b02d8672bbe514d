import Foundation
import Preferences
import Randomness

/// A group's loss per comparison on comparisons that its models were not trained on, once their rewards are damped as
/// far as they are overconfident.
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
    /// How many comparisons it is the loss of, each by its weight.
    let weight: Double
    /// The part of those that are no ties which the rewards decide rightly; nil without any.
    var accuracy: Double?
    /// Mean of r(better) − r(worse) over them, before damping; nil without any.
    var margin: Double?

    /// The factors tried: 1, 2^−¼, …, 2^−4.
    static let factors = (0...16).map { pow(2, -Double($0) / 4) }

    /// −Σ log p for each factor s, each comparison by its weight.
    static func sums(_ scored: [ScoredComparison]) -> [Double] {
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
        self.weight = weight
    }
}

/// The loss per comparison of several groups together.
func pooledLoss(_ losses: [ValidationLoss]) -> Double {
    guard losses.count > 1 else { return losses[0].loss }
    return losses.reduce(0) { $0 + $1.loss * $1.weight } / losses.reduce(0) { $0 + $1.weight }
}

/// A group's loss on the validation comparisons of its users, weighted by responsibility; those of each part under the
/// group's model of that part.
///
/// A group none of whose users has a validation comparison (users with very few comparisons) is judged by its `fit`
/// comparisons: its budget then ends where they are fitted. A group with more than `most` comparisons is judged by
/// about so many, the same each time. `looked` is told after each shard of this rank.
func validationLoss(
    of group: Int,
    on parts: [ComparisonSplit.Key],
    _ models: some RewardModels,
    users: ShardedUsers,
    responsibilities: [[Double]],
    most: Int,
    seed: UInt64,
    looked: () throws -> Void = {}
) throws -> ValidationLoss {
    let groups = models.count / parts.count
    let taking = users.members.indices.filter { responsibilities[$0][group] >= ComparisonSampler.negligible }
    func weight(_ count: (UserInfo.Counts) -> Double) -> Double {
        taking.reduce(0) { sum, user in
            sum + parts.reduce(0) { $0 + responsibilities[user][group] * count(users.members[user][$1]) }
        }
    }
    let hasValidation = weight(\.validation) > 0
    let available = weight(hasValidation ? \.validation : \.fit)
    let part = available > Double(most) ? Double(most) / available : 1

    let factors = ValidationLoss.factors.count
    // The losses, their weight, and of the comparisons that are no ties how many there are, how many are decided
    // rightly, and the margins.
    let width = factors + 4
    var sums = Array(repeating: 0.0, count: width)
    for (number, key) in parts.enumerated() {
        let rows = try users.gatherRows(width: width, looked: looked) { locals in
            let own = locals.map { local in
                responsibilities[local.index][group] < ComparisonSampler.negligible
                    ? []
                    : local.user.comparisons(
                        (hasValidation ? local.user.split[key].validation : local.user.split[key].fit).filter {
                            part == 1 || isLookedAt($0, of: local.index, part: part, seed: seed)
                        }
                    )
            }
            let model = number * groups + group
            return try users.rewards(of: own, under: model..<model + 1, models).map { scored in
                let decided = scored[0].filter { $0.comparison.weight == 1 }
                return ValidationLoss.sums(scored[0]) + [
                    scored[0].reduce(0) { $0 + $1.comparison.weight }, Double(decided.count),
                    decided.reduce(0) { $0 + concordance($1.rewards, ranked: $1.comparison.ranked) },
                    decided.reduce(0) { $0 + meanMargin($1.rewards, ranked: $1.comparison.ranked) },
                ]
            }
        }
        for user in taking {
            for column in sums.indices { sums[column] += responsibilities[user][group] * rows[user][column] }
        }
    }
    var found = ValidationLoss(sums: Array(sums[..<factors]), weight: sums[factors])
    let decided = sums[factors + 1]
    if decided > 0 { (found.accuracy, found.margin) = (sums[factors + 2] / decided, sums[factors + 3] / decided) }
    return found
}

/// Whether a user's comparison is one of those by which a large group is judged.
private func isLookedAt(_ comparison: Int, of user: Int, part: Double, seed: UInt64) -> Bool {
    var random = CounterRandom(seed: seed, purpose: .validation, step: user, item: comparison)
    return random.uniform() < part
}
