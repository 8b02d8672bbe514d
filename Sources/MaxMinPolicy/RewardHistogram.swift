/// How the calibrated rewards of a step's responses are spread, over all ranks.
package struct RewardHistogram: Equatable, Sendable {
    /// Upper limits of the bins: each a quarter octave from the next, from 1/8 to 1,024 on both sides of zero.
    package static let limits: [Double] = {
        let sizes = (-12...40).map { power(quarters: $0) }
        return sizes.reversed().map { -$0 } + sizes + [.greatestFiniteMagnitude]
    }()

    /// Responses up to each limit and above the one before.
    package let counts: [Double]
    /// Σ of the rewards.
    package let sum: Double
    /// Σ of their squares.
    package let squares: Double

    /// How many sums a histogram takes.
    static var width: Int { limits.count + 2 }

    /// What rewards add to the sums of a histogram.
    static func sums(of rewards: [Float]) -> [Double] {
        var sums = [Double](repeating: 0, count: width)
        for reward in rewards.map(Double.init) where reward.isFinite {
            sums[limits.firstIndex { reward <= $0 } ?? limits.count - 1] += 1
            sums[limits.count] += reward
            sums[limits.count + 1] += reward * reward
        }
        return sums
    }

    /// The histogram of sums over all shards.
    init(_ sums: ArraySlice<Double>) {
        counts = Array(sums.prefix(RewardHistogram.limits.count))
        sum = sums[sums.startIndex + RewardHistogram.limits.count]
        squares = sums[sums.startIndex + RewardHistogram.limits.count + 1]
    }
}

/// 2 to the power of a quarter of an integer.
private func power(quarters: Int) -> Double {
    let whole = quarters >> 2
    let parts = [1, 1.189_207_115_002_721, 1.414_213_562_373_095_1, 1.681_792_830_507_429]
    return parts[quarters & 3] * (whole >= 0 ? Double(1 << whole) : 1 / Double(1 << -whole))
}
