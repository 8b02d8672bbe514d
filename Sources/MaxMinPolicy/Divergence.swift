import Foundation

// Estimates of a divergence from samples (Schulman, "Approximating KL divergence", 2020), per token, in nats.

/// k1 = log π − log π_ref: unbiased, may be negative.
package func k1(_ logProbability: Float, reference: Float) -> Float {
    logProbability - reference
}

/// k3 = π_ref/π − 1 − log(π_ref/π): unbiased, never negative, of lower variance.
package func k3(_ logProbability: Float, reference: Float) -> Double {
    let logRatio = Double(reference) - Double(logProbability)
    return expm1(logRatio) - logRatio
}

/// How far a policy is from its reference, smoothed over the last steps of its training.
///
/// A step of 128 responses at 2 nats has a standard deviation of about 0.05 (docs/algorithm.md). At the end of a line
/// through eight steps it is 0.65 of that. Their mean would have less noise, but lag behind a KL that grows.
package struct DivergenceTrend: Codable, Equatable, Sendable {
    /// Steps that are smoothed over.
    static let window = 8
    /// That of each, nats per response, the latest last; at most `window`.
    private var steps: [Double] = []

    /// Before the first step.
    init() {}

    /// Whether it can be that of a training.
    var isValid: Bool { steps.count <= Self.window && steps.allSatisfy(\.isFinite) }

    /// Takes note of a step's divergence, nats per response.
    mutating func observe(_ divergence: Double) { steps = (steps + [divergence]).suffix(Self.window) }

    /// The value at the last step of the least-squares line through the steps; 0 before the first.
    package var latest: Double {
        guard steps.count > 1 else { return steps.last ?? 0 }
        let count = Double(steps.count)
        let mean = steps.reduce(0, +) / count
        let middle = (count - 1) / 2
        let slopes = zip(0..., steps).reduce(0) { $0 + (Double($1.0) - middle) * $1.1 }
        return mean + middle * slopes / (count * (count * count - 1) / 12)
    }
}
