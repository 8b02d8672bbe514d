import Foundation

// Estimates of KL(π ‖ π_ref) from samples of π (Schulman, "Approximating KL divergence", 2020), per token, in nats.

/// k1 = log π − log π_ref: unbiased, may be negative.
package func k1(_ logProbability: Float, reference: Float) -> Float {
    logProbability - reference
}

/// k3 = π_ref/π − 1 − log(π_ref/π): unbiased, never negative, of lower variance.
package func k3(_ logProbability: Float, reference: Float) -> Double {
    let logRatio = Double(reference) - Double(logProbability)
    return expm1(logRatio) - logRatio
}

/// β that moves so that the divergence holds a target (Ziegler et al., arXiv 1909.08593, §2.2).
///
/// β ← β·(1 + e·n/horizon), with e = clip(KL/target − 1, −0.2, 0.2) and n the responses of the step.
package struct KLController: Equatable, Sendable {
    /// The present price of a nat.
    package private(set) var beta: Float
    private let target: Float
    private let horizon: Float
    private let adapts: Bool

    /// A controller that starts at the settings' `beta`.
    package init(_ settings: PolicySettings) {
        beta = settings.beta
        target = settings.klTarget
        horizon = settings.klHorizon
        adapts = settings.klControl == .adaptive
    }

    /// Takes over a β that was reached earlier.
    package mutating func adopt(beta: Float) { self.beta = beta }

    /// Takes note of a step's divergence, nats per response, seen on this many responses.
    package mutating func observe(divergence: Double, responses: Int) {
        if adapts {
            let error = min(max(Float(divergence) / target - 1, -0.2), 0.2)
            beta *= 1 + error * Float(responses) / horizon
        }
    }
}
