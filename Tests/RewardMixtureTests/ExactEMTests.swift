import Foundation
import Preferences
import Tensors
import Testing

@testable import RewardMixture

/// Soft EM at temperature 1 with an M-step run to convergence, all on the same comparisons.
@Suite struct ExactEMTests {
    static let width = 4

    @Test(arguments: [1, 2, 3] as [UInt64])
    func likelihoodNeverFalls(seed: UInt64) {
        let groups = (0..<2).map { number in
            SimulatedGroup(users: 6, reward: rewardVector(width: Self.width, scale: 1, seed: 5 * seed + UInt64(number)))
        }
        let users = simulatedUsers(groups, comparisons: 20, seed: seed).map { user in
            user.comparisons(user.split.emParts[0].fit).map { features($0.sequences[0]) }
        }
        var responsibilities = users.indices.map { [[0.6, 0.4], [0.45, 0.55]][$0 % 2] }
        var totals: [Double] = []
        for _ in 0..<8 {
            let weights = (0..<2).map { group in
                fitted(users, responsibilities: responsibilities.map { $0[group] })
            }
            let likelihoods = users.map { comparisons in weights.map { logLikelihood(comparisons, $0) } }
            let shares = groupShares(responsibilities, groups: 2)
            totals.append(mixtureLogLikelihood(likelihoods, shares: shares))
            responsibilities = softResponsibilities(likelihoods, shares: shares, temperature: 1)
        }
        for (before, after) in zip(totals, totals.dropFirst()) { #expect(after >= before - 1e-6) }
        #expect(totals[7] > totals[0] + 1e-3)
    }

    private func logLikelihood(_ comparisons: [[Float]], _ weights: [Double]) -> Double {
        comparisons.reduce(0) { sum, x in sum + logSigmoid(zip(x, weights).reduce(0) { $0 + Double($1.0) * $1.1 }) }
    }

    /// The weighted maximum-likelihood reward vector.
    ///
    /// The log-likelihood is concave with curvature at most Σ q·‖x‖²/4,
    /// so gradient ascent with the inverse of that as its step converges.
    private func fitted(_ users: [[[Float]]], responsibilities: [Double]) -> [Double] {
        var weights = Array(repeating: 0.0, count: Self.width)
        let curvature = zip(users, responsibilities).reduce(0) { sum, user in
            sum + user.1 * user.0.joined().reduce(0) { $0 + Double($1 * $1) } / 4
        }
        for _ in 0..<200 {
            var gradient = Array(repeating: 0.0, count: Self.width)
            for (comparisons, q) in zip(users, responsibilities) {
                for x in comparisons {
                    let margin = zip(x, weights).reduce(0) { $0 + Double($1.0) * $1.1 }
                    for index in x.indices { gradient[index] += q * sigmoid(-margin) * Double(x[index]) }
                }
            }
            for index in gradient.indices { weights[index] += gradient[index] * 3 / curvature }
        }
        return weights
    }
}
