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

/// The win rates of one policy for every group, and of its worst-off group.
package struct WinRates: Equatable, Sendable {
    /// Of each group.
    package let groups: [Estimate]
    /// The lowest of the groups' win rates; its interval is that of the minimum, whichever group is worst off in a
    /// resample.
    package let worst: Estimate
    /// The lowest of the groups' win rates in each resample.
    private let resampledWorst: [Double]

    /// Win rates from what each group won, groups × prompts, of a policy that is judged for at least one group.
    ///
    /// - Parameters:
    ///   - wins: as `promptWins` gives them.
    ///   - resamples: bootstrap resamples of the intervals, the same ones for all groups.
    ///   - seed: of the resampling; the same seed and number of prompts give the same resamples.
    package init(wins: [[Double]], resamples: Int = 1000, seed: UInt64) {
        precondition(!wins.isEmpty, "no group")
        let means = resampledMeans(wins, resamples: resamples, seed: seed)
        groups = zip(wins, means).map { percentileInterval(around: mean($0), $1) }
        resampledWorst = (0..<resamples).map { resample in lowest(means.map { $0[resample] }) }
        worst = percentileInterval(around: lowest(groups.map(\.mean)), resampledWorst)
    }

    /// How much higher the worst-off group's win rate is than under another policy, with a paired interval: both are
    /// taken from the same resampled prompts.
    package func worstLess(_ other: WinRates) -> Estimate {
        precondition(resampledWorst.count == other.resampledWorst.count, "other resamples")
        return percentileInterval(
            around: worst.mean - other.worst.mean,
            zip(resampledWorst, other.resampledWorst).map { $0 - $1 }
        )
    }
}

/// How often a policy's response to each prompt is preferred to a reference's, ties counted half.
///
/// Each prompt counts the mean over all pairs of its responses; the win rate is the mean over prompts.
///
/// - Parameters:
///   - policy: utilities, prompts × samples of the prompt.
///   - reference: utilities, prompts × samples; as many prompts.
package func promptWins(policy: [[Double]], reference: [[Double]]) -> [Double] {
    precondition(policy.count == reference.count, "\(policy.count) prompts against \(reference.count)")
    return zip(policy, reference).map { own, other in
        precondition(!own.isEmpty && !other.isEmpty, "a prompt without responses")
        var sum = 0.0
        for a in own {
            for b in other { sum += a > b ? 1 : a == b ? 0.5 : 0 }
        }
        return sum / Double(own.count * other.count)
    }
}

/// The means of several columns over the same resampled rows (Efron and Tibshirani 1993, chapter 13), columns ×
/// resamples.
private func resampledMeans(_ columns: [[Double]], resamples: Int, seed: UInt64) -> [[Double]] {
    let rows = columns[0].count
    precondition(rows > 0 && resamples > 0, "\(rows) rows, \(resamples) resamples")
    precondition(columns.allSatisfy { $0.count == rows }, "columns of different lengths")
    var means = columns.map { _ in [Double](repeating: 0, count: resamples) }
    for resample in 0..<resamples {
        var random = CounterRandom(seed: seed, purpose: .bootstrap, item: resample)
        // The high word of a 64-bit product is a uniform index, off by less than rows/2⁶⁴.
        let drawn = (0..<rows).map { _ in Int(random.next().multipliedFullWidth(by: UInt64(rows)).high) }
        for (column, values) in columns.enumerated() {
            means[column][resample] = drawn.reduce(0) { $0 + values[$1] } / Double(rows)
        }
    }
    return means
}

/// A point estimate with the 95 % percentile interval of its resampled values.
private func percentileInterval(around point: Double, _ resampled: [Double]) -> Estimate {
    let sorted = resampled.sorted()
    return Estimate(mean: point, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975))
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

private func lowest(_ values: [Double]) -> Double { values.reduce(.infinity, min) }

/// Linear interpolation between order statistics.
private func quantile(_ sorted: [Double], _ probability: Double) -> Double {
    let position = probability * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
}
