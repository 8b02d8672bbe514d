import Randomness
import Testing

@testable import RewardMixture

@Suite struct StartTests {
    @Test func startsUseEveryGroup() {
        #expect(roundRobinStart(users: 5, groups: 2, seed: 1, restart: 0) == [0, 1, 0, 1, 0])
        let again = roundRobinStart(users: 9, groups: 3, seed: 1, restart: 1)
        #expect(again.sorted() == [0, 0, 0, 1, 1, 1, 2, 2, 2] && again != (0..<9).map { $0 % 3 })
        let random = randomStart(users: 9, groups: 3, seed: 1, restart: 0)
        #expect(random.sorted() == [0, 0, 0, 1, 1, 1, 2, 2, 2])
        #expect(random != randomStart(users: 9, groups: 3, seed: 1, restart: 1))
        #expect(random == randomStart(users: 9, groups: 3, seed: 1, restart: 0))
    }

    @Test func usersExplainedWorstComeFirst() {
        let logLikelihoods = [[-3.0, -8.0], [-9.0, -2.0], [-1.0, -1.0], [-5.0, -.infinity]]
        #expect(worstExplained(logLikelihoods, assignCounts: [10, 2, 0, 10]) == [1, 3, 0])
    }

    @Test(arguments: [1, 2, 4, 10])
    func residualDirectionsSeparateEquallyExplainedUsers(minority: Int) {
        // Two groups pull in opposite directions with equal lengths, in 12 dimensions of noise.
        func draw(_ item: Int, _ user: Int) -> [Double] {
            var random = CounterRandom(seed: 7, purpose: .test, step: item, item: user)
            return (0..<12).map { (($0 == 3 ? 1 : 0) * (user < minority ? 3.0 : -3.0) + random.normal()) / 8 }
        }
        let weights = Array(repeating: 64.0, count: 20)
        let splits = residualSplits(
            fit: Residuals(gradients: (0..<20).map { draw(0, $0) }, weights: weights),
            check: Residuals(gradients: (0..<20).map { draw(1, $0) }, weights: weights),
            anchors: Array(0..<16)
        )
        let side = splits[0].side
        #expect(side == Array(0..<minority) || side == Array(minority..<20))
        #expect(splits.map(\.gain) == splits.map(\.gain).sorted(by: >))
        #expect(Set(splits.map(\.side)).count == splits.count)
    }

    /// One user of a hundred who pulls the other way, explained 57th worst.
    @Test func oneUserOfAHundredIsFound() {
        func draw(_ item: Int, _ user: Int) -> [Double] {
            var random = CounterRandom(seed: 7, purpose: .test, step: item, item: user)
            return (0..<12).map { (($0 == 3 ? 1 : 0) * (user == 56 ? 4.0 : -4.0) + random.normal()) / 8 }
        }
        let weights = Array(repeating: 64.0, count: 100)
        func splits(anchors: Int) -> [ResidualSplit] {
            residualSplits(
                fit: Residuals(gradients: (0..<100).map { draw(0, $0) }, weights: weights),
                check: Residuals(gradients: (0..<100).map { draw(1, $0) }, weights: weights),
                anchors: Array(0..<anchors)
            )
        }
        #expect(splits(anchors: 100).first?.side == [56])
        #expect(splits(anchors: 16).first?.side != [56])
    }

    /// What one half of the comparisons says against the other is no split.
    @Test func aSplitWithoutGainIsNotTaken() {
        let fit = Residuals(gradients: [[1.0], [1.1], [-1.0], [-1.1]], weights: [9, 9, 9, 9])
        let check = Residuals(gradients: [[-1.0], [-0.9], [1.0], [0.9]], weights: [9, 9, 9, 9])
        #expect(residualSplits(fit: fit, check: check, anchors: [0, 1, 2, 3]).isEmpty)
    }
}
