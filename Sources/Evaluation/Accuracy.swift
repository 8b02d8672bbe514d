/// How many of `total` comparisons are right, with Wilson's 95 % score interval.
package struct Accuracy: Equatable, Sendable {
    /// Right ones; a tie counts half.
    package var right: Double
    /// All.
    package var total: Int

    /// States counts.
    package init(right: Double, total: Int) {
        self.right = right
        self.total = total
    }

    /// Accuracy of a reward model on comparisons: how often the chosen response has the higher reward, ties half.
    package init(chosen: [Double], rejected: [Double]) {
        precondition(chosen.count == rejected.count, "\(chosen.count) chosen rewards, \(rejected.count) rejected")
        right = zip(chosen, rejected).reduce(0) { $0 + ($1.0 > $1.1 ? 1 : $1.0 == $1.1 ? 0.5 : 0) }
        total = chosen.count
    }

    /// Adds the counts of two disjoint sets.
    package static func + (a: Accuracy, b: Accuracy) -> Accuracy {
        Accuracy(right: a.right + b.right, total: a.total + b.total)
    }

    /// The share of right ones with its interval (Wilson 1927); nil where there is no comparison.
    ///
    /// `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)` with z = 1.96: unlike p ± z·s it stays within 0…1.
    package var estimate: Estimate? {
        guard total > 0 else { return nil }
        let n = Double(total)
        let p = right / n
        let z = 1.959963984540054
        let centre = p + z * z / (2 * n)
        let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        let scale = 1 + z * z / n
        return Estimate(mean: p, low: max(0, (centre - spread) / scale), high: min(1, (centre + spread) / scale))
    }
}
