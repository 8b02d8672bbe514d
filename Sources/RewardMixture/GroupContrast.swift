import Collectives
import Foundation
import Preferences

/// How differently two groups' models predict what people chose, on comparisons that neither has seen.
package struct GroupContrast: Equatable, Codable, Sendable {
    /// The mean of |p_i − p_j| over the `test` comparisons of all users: of a pair the total variation between the two
    /// predictions, the paper's diversity.
    package let diversity: ClusteredMean
    /// log p_i − log p_j per `test` comparison of the users of group i: how much one of their choices says for i.
    package let evidence: ClusteredMean
    /// The variance of that from comparison to comparison, and how many comparisons there are.
    package let evidenceVariance, comparisons: Double

    /// Two standard errors of comparisons about the evidence.
    var evidenceInterval: (low: Double, high: Double) {
        let spread = 2 * (evidenceVariance / comparisons).squareRoot()
        return (evidence.mean - spread, evidence.mean + spread)
    }

    /// How many comparisons of a user of group i make it likely (95 %) that the posterior of i against j exceeds 95 %;
    /// nil where no number does.
    ///
    /// The n of which n·m − 1.645·s·√n = log 19 + log(η_j/η_i), with mean m and variance s² of the evidence of a
    /// comparison: after n of them it is about normal.
    package func comparisonsToBeSure(share: Double, against other: Double) -> Double? {
        guard evidence.mean > 0, share > 0 else { return nil }
        let wanted = max(0, log(19) + log(other / share))
        let spread = 1.645 * evidenceVariance.squareRoot()
        let root = (spread + (spread * spread + 4 * evidence.mean * wanted).squareRoot()) / (2 * evidence.mean)
        return root * root
    }
}

/// The contrast of every two groups, [K][K]; nil on the diagonal, and where there is no `test` comparison.
///
/// `models`: one of each group. `responsibilities`: [U][K]; a user is of the likeliest group. Every rank calls it.
func contrasts(
    of users: ShardedUsers,
    under models: some RewardScorer,
    _ range: Range<Int>,
    responsibilities: [[Double]]
) throws -> [[GroupContrast?]] {
    let groups = range.count
    guard groups > 1 else { return [[nil]] }
    // Of each user and every two groups Σ |p_i − p_j|, Σ (log p_i − log p_j) and Σ (log p_i − log p_j)².
    let rows = try users.gatherRows(width: 3 * groups * groups) { locals in
        try users.rewards(of: locals, \.test, under: range, models).map { perModel in
            let logs = perModel.map { $0.map { logProbability(ofOrder: $0.rewards, ranked: $0.comparison.ranked) } }
            var row = Array(repeating: 0.0, count: 3 * groups * groups)
            for comparison in logs[0].indices where perModel[0][comparison].comparison.weight == 1 {
                for i in 0..<groups {
                    for j in 0..<groups where j != i {
                        let (a, b) = (logs[i][comparison], logs[j][comparison])
                        let place = 3 * (i * groups + j)
                        row[place] += abs(exp(a) - exp(b))
                        row[place + 1] += a - b
                        row[place + 2] += (a - b) * (a - b)
                    }
                }
            }
            return row
        }
    }
    let counts = users.members.map { Double($0.testCount) }
    return (0..<groups).map { i in
        (0..<groups).map { j in
            let own = users.members.indices.filter { argmax(responsibilities[$0]) == i }
            let total = own.reduce(0) { $0 + counts[$1] }
            guard i != j, total > 0 else { return nil }
            func column(_ number: Int, _ user: Int) -> Double { rows[user][3 * (i * groups + j) + number] }
            let evidence = ClusteredMean(own.map { (column(1, $0), counts[$0]) })
            let square = own.reduce(0) { $0 + column(2, $1) } / total
            return GroupContrast(
                diversity: ClusteredMean(users.members.indices.map { (column(0, $0), counts[$0]) }),
                evidence: evidence,
                evidenceVariance: max(0, square - evidence.mean * evidence.mean),
                comparisons: total
            )
        }
    }
}
