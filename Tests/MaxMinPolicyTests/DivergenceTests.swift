import Foundation
import Tensors
import TestSupport
import Testing

@testable import MaxMinPolicy

/// The numbers of TRL 0.11's tests of its KL penalties, test_ppo_trainer.py.
private let policy: [[Float]] = [[0.5, 0.2, 0.1], [0.6, 0.2, 0.1]]
private let reference: [[Float]] = [[0.4, 0.3, 0.0], [0.7, 0.1, 0.3]]
private let expected: [[Float]] = [[0.1, -0.1, 0.1], [-0.1, 0.1, -0.2]]

@Test func k1IsTheDifferenceAsInTRL() {
    for row in 0..<2 {
        let estimates = zip(policy[row], reference[row]).map { k1($0, reference: $1) }
        #expect(maximalDifference(estimates, expected[row]) < 1e-6)
    }
}

@Test func tokensPayTheDivergenceAndTheLastEarnsTheBonus() {
    let rewards = tokenRewards(logProbabilities: policy[1], reference: reference[1], beta: 0.5, bonus: 3)
    #expect(maximalDifference(rewards, [0.05, -0.05, 0.1 + 3]) < 1e-6)
}

/// Both estimators' expectations over the policy are the divergence itself; k3 is never negative.
@Test func estimatorsAreUnbiased() {
    let p: [Double] = [0.5, 0.3, 0.15, 0.05]
    let q: [Double] = [0.1, 0.2, 0.3, 0.4]
    let exact = zip(p, q).reduce(0.0) { $0 + $1.0 * log($1.0 / $1.1) }
    var mean1 = 0.0
    var mean3 = 0.0
    for (a, b) in zip(p, q) {
        mean1 += a * Double(k1(Float(log(a)), reference: Float(log(b))))
        mean3 += a * k3(Float(log(a)), reference: Float(log(b)))
        #expect(k3(Float(log(a)), reference: Float(log(b))) >= 0)
    }
    #expect(abs(mean1 - exact) < 1e-6)
    #expect(abs(mean3 - exact) < 1e-6)
}

/// The kernel's sum over the vocabulary against `torch.distributions`.
@Test func divergencesAreThoseOfPyTorch() throws {
    for figures in try Figures.read().divergences {
        let logits = [figures.logits, figures.other].map { Tensor($0, shape: [1, $0.count]) }
        let normalizers = logits.map { row in
            let results = (0..<3).map { _ in Tensor(zeros: [1]) }
            logProbabilitiesForward(
                logits: row,
                targets: [0],
                temperature: figures.temperature,
                logProbability: results[0],
                entropy: results[1],
                logNormalizer: results[2]
            )
            return results[2]
        }
        let result = Tensor(zeros: [1])
        divergence(
            logits: logits[0],
            logNormalizer: normalizers[0],
            from: logits[1],
            logNormalizer: normalizers[1],
            temperature: figures.temperature,
            into: result
        )
        #expect(abs(Double(result[0]) / figures.kl - 1) < 1e-5, "\(result[0]) for \(figures.kl)")
    }
}

/// The end of a line of any slope, of as many steps as there are up to eight.
@Test(arguments: [1, 2, 3, 8, 20]) func theTrendOfALineIsItsEnd(steps: Int) {
    var trend = DivergenceTrend()
    for step in 0..<steps { trend.observe(0.5 + 0.3 * Double(step)) }
    #expect(abs(trend.latest - (0.5 + 0.3 * Double(steps - 1))) < 1e-12)
}

/// What the normal equations give for 8 numbers without a pattern, and only the last 8 count.
@Test func theTrendIsTheLeastSquaresLineOfTheLastSteps() {
    var trend = DivergenceTrend()
    #expect(trend.latest == 0)
    let values = [7.0, -3, 1, 4, 1, 5, 9, 2, 6, 5]
    for value in values { trend.observe(value) }
    // The last eight: Σ x = 28, Σ x² = 140.
    let own = Array(values.suffix(8))
    let sum = own.reduce(0, +)
    var products = 0.0
    for (x, y) in own.enumerated() { products += Double(x) * y }
    let slope = (8 * products - 28 * sum) / (8 * 140 - 28 * 28)
    let start = (sum - 28 * slope) / 8
    #expect(abs(trend.latest - (start + 7 * slope)) < 1e-12)
}
