import Randomness

/// A mean with a 95 % interval.
package struct Estimate: Equatable, Sendable {
    /// The point estimate.
    package var mean: Double
    /// Lower end of the interval.
    package var low: Double
    /// Upper end of the interval.
    package var high: Double

    /// States an estimate.
    package init(mean: Double, low: Double, high: Double) {
        self.mean = mean
        self.low = low
        self.high = high
    }
}

/// How often a policy's response is preferred to a reference's on the same prompt, ties counted half.
///
/// Each prompt counts the mean over all pairs of its responses; the win rate is the mean over prompts.
///
/// - Parameters:
///   - policy: utilities, prompts × samples of the prompt.
///   - reference: utilities, prompts × samples; as many prompts.
///   - resamples: bootstrap resamples of the interval.
///   - seed: of the resampling.
package func winRate(policy: [[Double]], reference: [[Double]], resamples: Int = 1000, seed: UInt64) -> Estimate {
    precondition(policy.count == reference.count, "\(policy.count) prompts against \(reference.count)")
    let wins = zip(policy, reference).map { own, other in
        precondition(!own.isEmpty && !other.isEmpty, "a prompt without responses")
        var sum = 0.0
        for a in own {
            for b in other { sum += a > b ? 1 : a == b ? 0.5 : 0 }
        }
        return sum / Double(own.count * other.count)
    }
    return bootstrapMean(wins, resamples: resamples, seed: seed)
}

/// The mean of values with its 95 % percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).
///
/// The same seed resamples the same positions, so intervals of several groups are comparable.
package func bootstrapMean(_ values: [Double], resamples: Int = 1000, seed: UInt64) -> Estimate {
    precondition(!values.isEmpty && resamples >= 1, "\(values.count) values, \(resamples) resamples")
    let mean = values.reduce(0, +) / Double(values.count)
    let count = UInt64(values.count)
    var means: [Double] = []
    means.reserveCapacity(resamples)
    for resample in 0..<resamples {
        var random = CounterRandom(seed: seed, purpose: .bootstrap, item: resample)
        var sum = 0.0
        // The high word of a 64-bit product is a uniform index, off by less than count/2⁶⁴.
        for _ in values { sum += values[Int(random.next().multipliedFullWidth(by: count).high)] }
        means.append(sum / Double(values.count))
    }
    means.sort()
    return Estimate(mean: mean, low: quantile(means, 0.025), high: quantile(means, 0.975))
}

/// Linear interpolation between order statistics.
private func quantile(_ sorted: [Double], _ probability: Double) -> Double {
    let position = probability * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
}
