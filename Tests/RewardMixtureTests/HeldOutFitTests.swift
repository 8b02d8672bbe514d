import Foundation
import Preferences
import Testing

@testable import RewardMixture

@Suite struct HeldOutFitTests {
    /// Users with 10 comparisons of `test`, and what models say of their two folds and of `test`, [U][F][K] and [U][K].
    func scores(folds: [[[Double]]], test: [[Double]]) -> UserScores {
        let members = folds.indices.map { number in
            let split = ComparisonSplit(folds: [Array(10..<20), Array(20..<30)], test: Array(0..<10))
            let all = Array(repeating: TokenizedComparison([[1], [2]]), count: 30)
            return UserInfo(ShardedUser(User(id: "u\(number)", comparisons: all), shard: 0, split: split))
        }
        let none = members.map { _ in [Double]() }
        return UserScores(
            members: members,
            foldLogLikelihoods: folds,
            assignCorrect: none,
            testCorrect: none,
            testLogLikelihoods: test
        )
    }

    /// A number of groups whose models all say the same of each user's `test`.
    ///
    /// `evidence`: of each group against each other one.
    func fit(_ groups: Int, _ perUser: [Double], evidence: Double = 1) -> HeldOutFit {
        let test = perUser.map { Array(repeating: $0, count: groups) }
        let even = perUser.map { _ in Array(repeating: 1 / Double(groups), count: groups) }
        return HeldOutFit(
            groups: groups,
            left: groups,
            scores(folds: test.map { [$0, $0] }, test: test),
            responsibilities: even,
            contrasts: contrasts(groups, evidence: evidence)
        )
    }

    /// Between any two groups the same evidence, of variance .09 on 9 comparisons: standard error .1.
    func contrasts(_ groups: Int, evidence: Double = 1) -> [[GroupContrast?]] {
        let contrast = GroupContrast(
            diversity: ClusteredMean([(0.3, 1)]),
            evidence: ClusteredMean([(evidence, 1)]),
            evidenceVariance: 0.09,
            comparisons: 9
        )
        return (0..<groups).map { i in (0..<groups).map { $0 == i ? nil : contrast } }
    }

    /// The folds place the user: log Σ_u q(u)·p(test | u) by hand.
    @Test func testIsExplainedAsTheFoldsPlaceTheUser() {
        let folds = [[log(0.2), log(0.6)], [log(0.5), log(0.1)]]
        let found = scores(folds: [folds], test: [[log(0.3), log(0.4)]])
        let even = [[0.5, 0.5]]
        let fit = HeldOutFit(groups: 2, left: 2, found, responsibilities: even, contrasts: contrasts(2))
        // .5·.2·.5 against .5·.6·.1.
        let expected = log(0.625 * 0.3 + 0.375 * 0.4)
        #expect(abs(fit.users[0].logLikelihood - expected) < 1e-12)
        #expect(abs(fit.perComparison.mean - expected / 10) < 1e-12)
        #expect(fit.perComparison.standardError == 0)
    }

    /// A second group that explains nobody better is no gain; one that explains some much better is.
    @Test func theFewestGoodGroupsAreTaken() {
        let single = fit(1, [-5, -6, -5, -6, -5, -6])
        #expect(smallestGoodFit([single, fit(2, [-5, -6, -5, -6, -5, -6])]) == 0)
        // Better for some, worse for others: no sure gain.
        #expect(smallestGoodFit([single, fit(2, [-4, -7, -4.2, -6.2, -5.2, -5.2])]) == 0)
        #expect(smallestGoodFit([single, fit(2, [-3, -4, -3.2, -4.1, -3, -4])]) == 1)
        // Two of six gain.
        #expect(smallestGoodFit([single, fit(2, [-5, -6, -5, -6, -3, -4])]) == 1)
        // A third one that is hardly better than two.
        let two = fit(2, [-3, -4, -3, -4, -3, -4])
        #expect(smallestGoodFit([single, two, fit(3, [-2.8, -4.2, -2.9, -3.9, -3.1, -4])]) == 1)
    }

    /// However much better: where one group's model is as good for another's users, they are no two groups.
    @Test func groupsThatCannotBeToldApartAreNone() {
        let single = fit(1, Array(repeating: -6, count: 6))
        let better = Array(repeating: -4.0, count: 6)
        #expect(smallestGoodFit([single, fit(2, better, evidence: 0.21)]) == 1)
        #expect(smallestGoodFit([single, fit(2, better, evidence: 0.19)]) == 0)
        #expect(smallestGoodFit([single, fit(2, better, evidence: 0.19), fit(3, better, evidence: 0.3)]) == 2)
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
                evidenceVariance: variance,
                comparisons: 10
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
