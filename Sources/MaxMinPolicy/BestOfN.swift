import Foundation

/// The best of the first `n` responses to a prompt by Σ_u w_u r̃_u; the first of equals.
///
/// - Parameters:
///   - rewards: raw rewards, groups × responses of the reference, `n` or more.
///   - calibration: of these groups, and perhaps of further models; for `log-sigmoid` the median is that of the `n`.
///   - weights: of each group.
package func bestOfN(_ n: Int, rewards: [[Float]], calibration: Calibration, weights: [Double]) -> Int {
    precondition(rewards.count == weights.count && rewards.allSatisfy { $0.count >= n && n > 0 }, "one row a group")
    var combined = [Double](repeating: 0, count: n)
    for (group, row) in rewards.enumerated() {
        let first = Array(row.prefix(n))
        let calibrated = calibration.calibrated(
            first,
            model: group,
            medians: medians(of: first, samplesPerPrompt: n)
        )
        for response in 0..<n { combined[response] += weights[group] * Double(calibrated[response]) }
    }
    return combined.indices.reduce(0) { combined[$1] > combined[$0] ? $1 : $0 }
}

/// An upper bound of the divergence of best of n from what it samples: log n − (n − 1)/n nats a response.
///
/// Beirami et al. 2024, arXiv 2401.01879: it is the divergence where no two responses are equally good and none is
/// likely, and more than it elsewhere.
package func bestOfNDivergence(_ n: Int) -> Double { log(Double(n)) - Double(n - 1) / Double(n) }
