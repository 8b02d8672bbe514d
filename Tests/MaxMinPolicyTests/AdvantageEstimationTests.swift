import Collectives
import Foundation
import Randomness
import TestSupport
import Testing

@testable import MaxMinPolicy

/// NeMo-RL's test: λ = 0, V = [1, 2, 3], final reward 5.
@Test func advantagesMatchNeMoRL() {
    let result = generalizedAdvantages(rewards: [0, 0, 5], values: [1, 2, 3], gamma: 1, lambda: 0)
    #expect(result.advantages == [1, 1, 2])
    #expect(result.returns == [2, 3, 5])
}

/// A_t = Σ_l (γλ)^l δ_{t+l}, summed as it is written.
@Test func advantagesMatchTheSum() {
    var random = CounterRandom(seed: 1, purpose: .test)
    let rewards = (0..<7).map { _ in Float(random.normal()) }
    let values = (0..<7).map { _ in Float(random.normal()) }
    let (gamma, lambda) = (0.9, 0.8)
    let result = generalizedAdvantages(rewards: rewards, values: values, gamma: Float(gamma), lambda: Float(lambda))
    let deltas = (0..<7).map { t in
        Double(rewards[t]) + (t < 6 ? gamma * Double(values[t + 1]) : 0) - Double(values[t])
    }
    let expected = (0..<7).map { t in
        Float((t..<7).reduce(0.0) { $0 + pow(gamma * lambda, Double($1 - t)) * deltas[$1] })
    }
    #expect(maximalDifference(result.advantages, expected) < 1e-5)
    #expect(maximalDifference(result.returns, zip(expected, values).map { $0 + $1 }) < 1e-5)
}

/// With γ = λ = 1 a return is what is still to come, whatever the values say.
@Test func undiscountedReturnsAreSumsToCome() {
    let result = generalizedAdvantages(rewards: [1, 2, 4], values: [9, -3, 5], gamma: 1, lambda: 1)
    #expect(maximalDifference(result.returns, [7, 6, 4]) < 1e-5)
}

/// Advantages of heads, one a group, are those of one head of the weighted reward; what heads learn is their own.
@Test func valuesOfGroupsAddUp() {
    var random = CounterRandom(seed: 2, purpose: .test)
    let rewards = (0..<3).map { _ in (0..<5).map { _ in Float(random.normal()) } }
    // Tokens × heads.
    let values = (0..<15).map { _ in Float(random.normal()) }
    let weights: [Float] = [0.2, 0.5, 0.3]
    let result = weightedAdvantages(rewards: rewards, values: values, weights: weights, gamma: 0.9, lambda: 0.8)
    func weighted(_ heads: (Int) -> Float) -> Float { (0..<3).reduce(0) { $0 + weights[$1] * heads($1) } }
    let single = generalizedAdvantages(
        rewards: (0..<5).map { t in weighted { rewards[$0][t] } },
        values: (0..<5).map { t in weighted { values[3 * t + $0] } },
        gamma: 0.9,
        lambda: 0.8
    )
    #expect(maximalDifference(result.advantages, single.advantages) < 1e-5)
    for head in 0..<3 {
        let own = generalizedAdvantages(
            rewards: rewards[head],
            values: (0..<5).map { values[3 * $0 + head] },
            gamma: 0.9,
            lambda: 0.8
        )
        #expect((0..<5).map { result.returns[3 * $0 + head] } == own.returns)
    }
}

@Test func leaveOneOutComparesWithTheOthers() {
    #expect(maximalDifference(leaveOneOutAdvantages([1, 2, 6]), [1 - 4, 2 - 3.5, 6 - 1.5]) < 1e-6)
    #expect(leaveOneOutAdvantages([5, 5]) == [0, 0])
}

@Test(arguments: 1...4)
func whiteningIsOverAllRanks(ranks: Int) throws {
    let numbers: [Float] = [3, 1, 4, 1, 5, 9, 2, 6]
    let mean = 31.0 / 8
    let variance = numbers.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 7
    let expected = numbers.map { Float((Double($0) - mean) / variance.squareRoot()) }
    let shards = try Shards(count: 4, ranks: ranks)
    let parts = try InProcessGroup.run(ranks: ranks) { communicator in
        let mine = shards.hosted(by: communicator.rank).map { Array(numbers[($0 * 2)..<($0 * 2 + 2)]) }
        return try whitened(mine, communicator: communicator)
    }
    #expect(maximalDifference(Array(parts.joined().joined()), expected) < 1e-6)
}
