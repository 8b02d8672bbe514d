import Foundation
import Randomness
import Testing

@testable import MaxMinPolicy

private func calibration(_ method: Calibration.Method) -> Calibration {
    var calibration = Calibration.none(rewardModels: 3)
    calibration.method = method
    // The last is the single model's, which no weight is for.
    calibration.means = [1, -2, 50]
    calibration.deviations = [0.5, 4, 1e-3]
    return calibration
}

/// By hand: each response's weighted sum, and a search for the greatest.
@Test(arguments: [Calibration.Method.standardize, .center, .logSigmoid, .none], [1, 2, 5, 16])
func theBestOfNIsTheOneOfGreatestWeightedReward(method: Calibration.Method, n: Int) {
    let calibration = calibration(method)
    var random = CounterRandom(seed: 2, purpose: .test, item: n)
    for weights in [[0.5, 0.5], [0.9, 0.1], [0, 1]] {
        let rewards = (0..<2).map { _ in (0..<16).map { _ in Float(2 * random.normal()) } }
        let medians = rewards.map { row in
            let sorted = row.prefix(n).sorted()
            return Double(sorted[(n - 1) / 2] + sorted[n / 2]) / 2
        }
        let sums = (0..<n).map { response in
            (0..<2).reduce(0.0) { sum, group in
                let reward = Double(rewards[group][response])
                let calibrated =
                    switch method {
                    case .standardize: (reward - calibration.means[group]) / calibration.deviations[group]
                    case .center: reward - calibration.means[group]
                    case .logSigmoid: -log(1 + exp(medians[group] - reward))
                    case .none: reward
                    }
                return sum + weights[group] * calibrated
            }
        }
        let best = bestOfN(n, rewards: rewards, calibration: calibration, weights: weights)
        #expect((0..<n).contains(best) && sums.allSatisfy { $0 <= sums[best] + 1e-6 })
    }
}

@Test func ofEqualsTheFirstIsTheBest() {
    let rewards: [[Float]] = [[1, 3, 3, 2, 3], [0, 0, 0, 0, 0]]
    #expect(bestOfN(5, rewards: rewards, calibration: .none(rewardModels: 2), weights: [1, 0]) == 1)
    #expect(bestOfN(5, rewards: rewards, calibration: .none(rewardModels: 2), weights: [0, 1]) == 0)
    #expect(bestOfN(1, rewards: rewards, calibration: .none(rewardModels: 2), weights: [1, 0]) == 0)
}

/// Of m equally likely responses, all of different worth, the i-th worst is the best of n with probability (i/m)ⁿ −
/// ((i − 1)/m)ⁿ: the bound holds, and is reached as m grows.
@Test(arguments: [2, 4, 16, 64]) func theBoundOfTheDivergenceHoldsAndIsReached(n: Int) {
    func exact(_ m: Int) -> Double {
        (1...m).reduce(0.0) { sum, i in
            let p = pow(Double(i) / Double(m), Double(n)) - pow(Double(i - 1) / Double(m), Double(n))
            return sum + (p > 0 ? p * log(p * Double(m)) : 0)
        }
    }
    for m in [2, 10, 100, 1000] { #expect(exact(m) <= bestOfNDivergence(n) + 1e-9) }
    #expect(exact(2) < bestOfNDivergence(n) - 0.05)
    #expect(abs(exact(20_000) - bestOfNDivergence(n)) < 2e-3)
}
