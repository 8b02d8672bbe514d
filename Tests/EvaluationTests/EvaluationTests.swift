import Randomness
import Simulation
import Testing

@testable import Evaluation

@Suite struct AccuracyTests {
    @Test func nothingIsNoEstimate() {
        #expect(Accuracy(users: []).estimate == nil)
        #expect(Accuracy(users: [(0, 0)]).estimate == nil)
    }

    /// The formula evaluated apart, in Python.
    @Test(arguments: [(8.0, 10, 0.4901625, 0.9433178), (0, 10, 0, 0.2775328), (71, 100, 0.6146111, 0.7898516)])
    func hasWilsonsIntervalForOneUser(right: Double, total: Int, low: Double, high: Double) throws {
        let estimate = try #require(Accuracy(users: [(right, total)]).estimate)
        #expect(abs(estimate.low - low) < 1e-6 && abs(estimate.high - high) < 1e-6, "\(estimate)")
    }

    /// 95 % intervals hold the true mean about 95 times in 100 though users differ, where those of comparisons alone
    /// hold it less often.
    @Test func theIntervalCoversTheMeanOfPeople() throws {
        var clustered = 0
        var pooled = 0
        for trial in 0..<300 {
            var random = CounterRandom(seed: 5, purpose: .test, item: trial)
            let users = (0..<20).map { _ in
                // Each user is right with a probability of their own, 0.5 to 0.9.
                let own = 0.5 + 0.4 * random.uniform()
                return (Double((0..<40).count { _ in random.uniform() < own }), 40)
            }
            let estimate = try #require(Accuracy(users: users).estimate)
            clustered += (estimate.low...estimate.high).contains(0.7) ? 1 : 0
            let all = try #require(Accuracy(users: [(users.reduce(0) { $0 + $1.0 }, 800)]).estimate)
            pooled += (all.low...all.high).contains(0.7) ? 1 : 0
        }
        #expect((267...297).contains(clustered), "\(clustered) of 300")
        #expect(pooled < 255, "\(pooled) of 300")
    }
}

@Suite struct ClusterAgreementTests {
    @Test func namesOfGroupsDoNotMatter() {
        let truth = ["p", "p", "p", "p", "c", "c"]
        let straight = ClusterAgreement(groups: [0, 0, 0, 1, 1, 1], truth: truth, groupCount: 2)
        let swapped = ClusterAgreement(groups: [1, 1, 1, 0, 0, 0], truth: truth, groupCount: 2)
        #expect(abs(straight.agreement - 5.0 / 6) < 1e-12)
        #expect(swapped.agreement == straight.agreement && swapped.adjustedRandIndex == straight.adjustedRandIndex)
        #expect(straight.labels == ["p", "c"] && swapped.labels == ["c", "p"])
    }

    @Test func moreGroupsThanLabelsLeaveOneUnnamed() {
        let agreement = ClusterAgreement(
            groups: [2, 2, 0, 0, 1],
            truth: ["a", "a", "b", "b", "b"],
            groupCount: 4
        )
        #expect(agreement.agreement == 0.8)
        #expect(agreement.labels == ["b", nil, "a", nil])
        let one = ClusterAgreement(groups: [0, 0, 0], truth: ["a", "b", "b"], groupCount: 1)
        #expect(one.labels == ["b"] && abs(one.agreement - 2.0 / 3) < 1e-12 && one.adjustedRandIndex == 0)
    }

    /// sklearn.metrics.adjusted_rand_score([0,0,1,1], [0,0,1,2]) and of two crossed halves, from its documentation.
    @Test func hasTheKnownRandIndices() {
        let partly = ClusterAgreement(groups: [0, 0, 1, 2], truth: ["a", "a", "b", "b"], groupCount: 3)
        #expect(abs(partly.adjustedRandIndex - 0.5714285714) < 1e-9)
        let crossed = ClusterAgreement(groups: [0, 1, 0, 1], truth: ["a", "a", "b", "b"], groupCount: 2)
        #expect(abs(crossed.adjustedRandIndex + 0.5) < 1e-9 && crossed.agreement == 0.5)
        #expect(ClusterAgreement(groups: [0, 0], truth: ["a", "a"], groupCount: 1).adjustedRandIndex == 1)
    }

    @Test func matchesAsWellAsTheBestPermutation() {
        for trial in 0..<60 {
            var random = CounterRandom(seed: 2, purpose: .test, item: trial)
            let rows = 1 + trial % 5
            let columns = 1 + trial / 5 % 5
            let gains = (0..<rows).map { _ in (0..<columns).map { _ in Int(random.uniform() * 10) } }
            let match = bestMatching(gains)
            let used = match.compactMap { $0 }
            #expect(Set(used).count == used.count && used.count == min(rows, columns))
            let sum = zip(gains, match).reduce(0) { total, pair in total + (pair.1.map { pair.0[$0] } ?? 0) }
            #expect(sum == best(gains, row: 0, free: Set(0..<columns)))
        }
    }

    /// The best sum by trying every matching.
    private func best(_ gains: [[Int]], row: Int, free: Set<Int>) -> Int {
        guard row < gains.count else { return 0 }
        var result = free.count < gains.count - row ? best(gains, row: row + 1, free: free) : 0
        for column in free {
            result = max(result, gains[row][column] + best(gains, row: row + 1, free: free.subtracting([column])))
        }
        return result
    }
}

@Suite struct JudgeTests {
    func response(_ text: String, tokens: Int) -> JudgedResponse {
        JudgedResponse(
            prompt: "The film was",
            response: text,
            promptTokens: [1],
            responseTokens: [Int32](repeating: 2, count: tokens)
        )
    }

    @Test func judgesByTasteInTheOrderOfThePrompts() throws {
        let samples = [
            [response(" superb", tokens: 3), response(" awful", tokens: 5)], [response(" long", tokens: 9)],
        ]
        #expect(try Judge(name: "taste", taste: .length).utilities(byPrompt: samples) == [[-3, -5], [-9]])
        #expect(try Judge(name: "taste", taste: .sentiment).utilities(byPrompt: samples) == [[1, -1], [0]])
        let reward = Judge(name: "reward") { $0.map { Double($0.responseTokens.count) } }
        #expect(try reward.utilities(byPrompt: samples) == [[3, 5], [9]])
    }

    @Test func theWorstGroupIsTheFirstOfTheLowest() {
        func estimate(_ mean: Double) -> Estimate { Estimate(mean: mean, low: mean, high: mean) }
        let policy = PolicyEvaluation(
            name: "maxmin",
            judges: [
                JudgeEstimates(
                    judge: "taste",
                    winRate: [("a", 0.8), ("b", 0.7), ("c", 0.7)].map {
                        GroupEstimate(group: $0.0, estimate: estimate($0.1))
                    },
                    worstWinRate: estimate(0.7),
                    worstLessBaseline: nil,
                    winRateAgainstSingle: []
                )
            ],
            kl: 1,
            meanTokens: 2,
            samples: []
        )
        #expect(policy.worstGroup == "b")
    }
}
