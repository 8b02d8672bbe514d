import Foundation
import MaxMinPolicy
import TestSupport
import Testing

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

@Test func fixedControlHoldsBeta() {
    var controller = KLController(PolicySettings())
    controller.observe(divergence: 1000, responses: 64)
    #expect(controller.beta == PolicySettings().beta)
}

/// Ziegler et al., §2.2: β grows by at most 20 % a horizon, both ways, and stands still on target.
@Test(arguments: [(Float(1.0), Float(1)), (12, 1.02), (6.6, 1.01), (0, 0.98), (6, 1)])
func adaptiveControlFollowsTheRule(divergence: Float, factor: Float) {
    var settings = PolicySettings()
    settings.klControl = .adaptive
    settings.klTarget = divergence == 1 ? 1 : 6
    settings.klHorizon = 1000
    var controller = KLController(settings)
    controller.observe(divergence: Double(divergence), responses: 100)
    #expect(abs(controller.beta / settings.beta - factor) < 1e-5)
}
