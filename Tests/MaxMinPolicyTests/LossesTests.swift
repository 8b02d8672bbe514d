import Foundation
import MaxMinPolicy
import Randomness
import TestSupport
import Testing

private let tokens = 40

private func noise(_ item: Int, scale: Double) -> [Float] {
    var random = CounterRandom(seed: 7, purpose: .test, item: item)
    return (0..<tokens).map { _ in Float(scale * random.normal()) }
}

@Test func policyLossGradientMatchesFiniteDifferences() {
    let old = noise(0, scale: 1)
    let advantages = noise(1, scale: 1)
    let present = zip(old, noise(2, scale: 0.3)).map { $0 + $1 }
    let loss = clippedPolicyLoss(logProbabilities: present, old: old, advantages: advantages, clip: 0.2)
    #expect(loss.clipped > 3 && loss.clipped < tokens - 3)
    for t in 0..<tokens {
        let numeric = derivative(of: present[t]) { x in
            clippedPolicyLoss(logProbabilities: [x], old: [old[t]], advantages: [advantages[t]], clip: 0.2).loss
        }
        #expect(abs(numeric - Double(loss.gradient[t])) < 2e-3 * max(1, abs(numeric)), "token \(t)")
    }
}

@Test func valueLossGradientMatchesFiniteDifferences() {
    let old = noise(3, scale: 1)
    let returns = noise(4, scale: 1)
    let present = zip(old, noise(5, scale: 0.3)).map { $0 + $1 }
    let loss = clippedValueLoss(values: present, old: old, returns: returns, clip: 0.2)
    #expect(loss.gradient.filter { $0 == 0 }.count > 3)
    for t in 0..<tokens {
        let numeric = derivative(of: present[t]) { x in
            clippedValueLoss(values: [x], old: [old[t]], returns: [returns[t]], clip: 0.2).loss
        }
        #expect(abs(numeric - Double(loss.gradient[t])) < 2e-3 * max(1, abs(numeric)), "token \(t)")
    }
}

/// arXiv 1707.06347, figure 1: a good token earns nothing beyond 1 + ε, a bad one nothing below 1 − ε; the other way
/// round nothing is clipped.
@Test(arguments: [
    (Float(1.5), Float(2), -2.4, true), (0.5, 2, -1.0, false), (1.5, -2, 3.0, false), (0.5, -2, 1.6, true),
])
func clippingFollowsTheFigure(ratio: Float, advantage: Float, loss: Double, clipped: Bool) {
    let result = clippedPolicyLoss(logProbabilities: [log(ratio) - 2], old: [-2], advantages: [advantage], clip: 0.2)
    #expect(abs(result.loss - loss) < 1e-5)
    #expect(result.clipped == (clipped ? 1 : 0))
    #expect((result.gradient[0] == 0) == clipped)
}

/// At the policy that sampled, the gradient is REINFORCE's: −A for every token.
@Test func freshRolloutsGiveReinforce() {
    let advantages = noise(6, scale: 1)
    let old = noise(7, scale: 1)
    let loss = clippedPolicyLoss(logProbabilities: old, old: old, advantages: advantages, clip: 0.2)
    #expect(loss.gradient == advantages.map { -$0 })
    #expect(loss.divergence == 0)
}

/// GRPO's advantages, loss and gradient against PyTorch's autograd of the paper's equations.
@Test func groupRelativeLossesAreThoseOfPyTorch() throws {
    for figures in try Figures.read().grpo {
        let advantages = stride(from: 0, to: figures.rewards.count, by: figures.samples).flatMap {
            normalizedAdvantages(Array(figures.rewards[$0..<$0 + figures.samples]))
        }
        #expect(maximalDifference(advantages, figures.advantages) < 1e-5)
        func perToken(_ values: [Float]) -> [Float] {
            zip(values, figures.lengths).flatMap { Array(repeating: $0, count: $1) }
        }
        let count = Float(figures.lengths.count)
        let loss = groupRelativeLoss(
            logProbabilities: figures.own,
            old: figures.old,
            reference: figures.reference,
            advantages: perToken(advantages),
            weights: perToken(figures.lengths.map { 1 / (count * Float($0)) }),
            clip: figures.clip,
            beta: figures.beta
        )
        #expect(abs(loss.loss - figures.loss) < 1e-5)
        #expect(maximalDifference(loss.gradient, figures.gradient) < 1e-5)
        #expect(loss.clipped > 0 && loss.clipped < figures.own.count)
    }
}

private func derivative(of x: Float, _ function: (Float) -> Double) -> Double {
    let step: Float = 1e-3
    return (function(x + step) - function(x - step)) / Double((x + step) - (x - step))
}
