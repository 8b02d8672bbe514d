import Foundation

// Shapes: U users, K groups. logLikelihoods: [U][K], ℓ_h(u) = Σ_c log p_u(c) over the user's `assign` comparisons.
// responsibilities: [U][K], q_h(u) ≥ 0, each row sums to 1.

/// The index of the largest number, the lowest such index on ties; 0 of an empty array.
package func argmax(_ values: [Double]) -> Int {
    values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
}

/// Responsibilities of users who each belong to one group.
package func oneHot(_ assignments: [Int], groups: Int) -> [[Double]] {
    assignments.map { group in (0..<groups).map { $0 == group ? 1 : 0 } }
}

/// Hard E-step: z_h = argmax_u ℓ_h(u), ties to the lower index (arXiv 2402.08925, Algorithm 2).
package func hardResponsibilities(_ logLikelihoods: [[Double]]) -> [[Double]] {
    logLikelihoods.map { row in oneHot([argmax(row)], groups: row.count)[0] }
}

/// Soft E-step: q_h(u) ∝ η_u·exp(ℓ_h(u)/T).
///
/// A group with η_u = 0 stays empty. At T = 1 this is the exact posterior, and EM never lowers `mixtureLogLikelihood`.
package func softResponsibilities(_ logLikelihoods: [[Double]], shares: [Double], temperature: Double) -> [[Double]] {
    logLikelihoods.map { row in
        let scores = zip(row, shares).map { log($1) + $0 / temperature }
        let normalizer = logSumExp(scores)
        return scores.map { exp($0 - normalizer) }
    }
}

/// η_u, the mean of q(u) over users; equal shares where there are no users.
package func groupShares(_ responsibilities: [[Double]], groups: Int) -> [Double] {
    guard !responsibilities.isEmpty else { return Array(repeating: 1 / Double(groups), count: groups) }
    return groupSizes(responsibilities, groups: groups).map { $0 / Double(responsibilities.count) }
}

/// Σ_h q_h(u) of each group: users, in fractions where assignment is soft.
package func groupSizes(_ responsibilities: [[Double]], groups: Int) -> [Double] {
    responsibilities.reduce(into: Array(repeating: 0, count: groups)) { sizes, row in
        for group in row.indices { sizes[group] += row[group] }
    }
}

/// Σ_h log Σ_u η_u·exp(ℓ_h(u)), what soft EM maximizes.
package func mixtureLogLikelihood(_ logLikelihoods: [[Double]], shares: [Double]) -> Double {
    logLikelihoods.reduce(0) { $0 + logSumExp(zip($1, shares).map { log($1) + $0 }) }
}

/// Σ_h ℓ_h(z_h), what hard EM maximizes.
package func assignedLogLikelihood(_ logLikelihoods: [[Double]], assignments: [Int]) -> Double {
    zip(logLikelihoods, assignments).reduce(0) { $0 + $1.0[$1.1] }
}

/// log Σ exp(x) without overflow; −∞ where every x is.
func logSumExp(_ values: [Double]) -> Double {
    guard let largest = values.max(), largest.isFinite else { return values.max() ?? -.infinity }
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
}
