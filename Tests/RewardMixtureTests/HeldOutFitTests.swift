import Foundation
import Preferences
import Testing

@testable import RewardMixture

@Suite struct HeldOutFitTests {
    /// Users with so many comparisons in each fold, and their log-likelihoods [U][F][K].
    func scores(_ logLikelihoods: [[[Double]]], comparisons: Int = 10) -> UserScores {
        let members = logLikelihoods.enumerated().map { number, folds in
            let split = ComparisonSplit(
                folds: folds.indices.map { Array($0 * comparisons..<($0 + 1) * comparisons) }
            )
            let all = Array(repeating: TokenizedComparison([[1], [2]]), count: folds.count * comparisons)
            return UserInfo(ShardedUser(User(id: "u\(number)", comparisons: all), shard: 0, split: split))
        }
        let none = members.map { _ in [Double]() }
        return UserScores(members: members, foldLogLikelihoods: logLikelihoods, assignCorrect: none, testCorrect: none)
    }

    /// The other fold places the user: log Σ_u q(u)·p(fold | u) by hand.
    @Test func aFoldIsExplainedAsTheOthersPlaceTheUser() {
        let folds = [[log(0.2), log(0.6)], [log(0.3), log(0.1)]]
        let fit = HeldOutFit(groups: 2, left: 2, scores([folds]), responsibilities: [[0.5, 0.5]])
        // Placed by the second: ¾, ¼; by the first: ¼, ¾.
        let expected = log(0.75 * 0.2 + 0.25 * 0.6) + log(0.25 * 0.3 + 0.75 * 0.1)
        #expect(abs(fit.users[0].logLikelihood - expected) < 1e-12)
        #expect(abs(fit.perComparison.mean - expected / 20) < 1e-12)
        #expect(fit.perComparison.standardError == 0)
    }

    /// A second group that explains nobody better is no gain; one that explains some much better is.
    @Test func theFewestGoodGroupsAreTaken() {
        func fit(_ groups: Int, _ perFold: [Double]) -> HeldOutFit {
            let rows = perFold.map { own in
                let row = [own] + Array(repeating: own, count: groups - 1)
                return [row, row]
            }
            let even = perFold.map { _ in Array(repeating: 1 / Double(groups), count: groups) }
            return HeldOutFit(groups: groups, left: groups, scores(rows), responsibilities: even)
        }
        let single = fit(1, [-5, -6, -5, -6, -5, -6])
        #expect(smallestGoodFit([single, fit(2, [-5, -6, -5, -6, -5, -6])]) == 0)
        // Better for some, worse for others: no sure gain.
        #expect(smallestGoodFit([single, fit(2, [-4, -7, -4.2, -6.2, -5.2, -5.2])]) == 0)
        #expect(smallestGoodFit([single, fit(2, [-3, -4, -3.2, -4.1, -3, -4])]) == 1)
        // A third one that is hardly better than two.
        let two = fit(2, [-3, -4, -3, -4, -3, -4])
        #expect(smallestGoodFit([single, two, fit(3, [-2.8, -4.2, -2.9, -3.9, -3.1, -4])]) == 1)
    }

    /// The formula evaluated apart: sums 1, 4, 3 of 2, 4, 2 comparisons.
    @Test func standardErrorsAreClusteredByUser() {
        let mean = ClusteredMean([(1, 2), (4, 4), (3, 2)])
        #expect(mean.mean == 1)
        #expect(abs(mean.standardError - (3.0 / 2 * 2).squareRoot() / 8) < 1e-12)
    }

    @Test func howManyComparisonsPlaceAUser() throws {
        func contrast(mean: Double, variance: Double) -> GroupContrast {
            GroupContrast(
                diversity: ClusteredMean([(0.3, 1)]),
                evidence: ClusteredMean([(mean, 1)]),
                evidenceVariance: variance
            )
        }
        // Without noise: log 19 over the evidence of one.
        let clear = try #require(contrast(mean: 0.5, variance: 0).comparisonsToBeSure(share: 0.5, against: 0.5))
        #expect(abs(clear - log(19) / 0.5) < 1e-12)
        // With noise n·m − 1.645·s·√n is what is wanted.
        let noisy = try #require(contrast(mean: 0.2, variance: 0.3).comparisonsToBeSure(share: 0.1, against: 0.9))
        let reached = noisy * 0.2 - 1.645 * (0.3 * noisy).squareRoot()
        #expect(abs(reached - log(19) - log(9)) < 1e-9)
        #expect(contrast(mean: -0.1, variance: 0.1).comparisonsToBeSure(share: 0.5, against: 0.5) == nil)
    }
}
