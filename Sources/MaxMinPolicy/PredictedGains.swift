/// What theory says that a policy gives each group, before any is trained.
///
/// The policy that is best for the reward r_w = Σ_u w_u r_u under a divergence κ from the reference is
/// π ∝ π_ref·exp(t·r_w).
/// Where rewards are about normal over the reference's samples, it moves the mean of r_u by t·Cov(r_u, r_w) with
/// κ = t²·Var(r_w)/2. In units of r_u's own deviation, for which √(2κ) is what a policy for group u alone would gain:
///
///     gain_u / √(2κ) = (Σw)_u / √(wᵀΣw)
///
/// with the correlations Σ of the groups' rewards within prompts.
package enum PredictedGains {
    /// The gain of each group as a part of what its own policy would give it, −1…1.
    package static func of(weights: [Double], _ correlations: [[Double]]) -> [Double] {
        let pulls = pulls(weights, correlations)
        let variance = zip(pulls, weights).reduce(0) { $0 + $1.0 * $1.1 }
        return variance > 1e-12 ? pulls.map { $0 / variance.squareRoot() } : pulls.map { _ in 0 }
    }

    /// The weights that maximize the least gain: those of the shortest vector in the hull of the groups' directions,
    /// argmin wᵀΣw over the simplex, since there (Σw)_u ≥ wᵀΣw for every u.
    ///
    /// Moves weight between two groups at a time, as far as is best, until no move gains anything.
    package static func maxminWeights(_ correlations: [[Double]]) -> [Double] {
        let groups = correlations.count
        var weights = Array(repeating: 1 / Double(groups), count: groups)
        for _ in 0..<10_000 {
            let pulls = pulls(weights, correlations)
            let least = pulls.indices.reduce(0) { pulls[$1] < pulls[$0] ? $1 : $0 }
            let loaded = pulls.indices.filter { weights[$0] > 0 }
            let most = loaded.reduce(loaded[0]) { pulls[$1] > pulls[$0] ? $1 : $0 }
            let gap = pulls[most] - pulls[least]
            let curvature = correlations[most][most] + correlations[least][least] - 2 * correlations[most][least]
            guard gap > 1e-10, curvature > 1e-12 else { break }
            let step = min(weights[most], gap / curvature)
            weights[most] -= step
            weights[least] += step
        }
        return weights
    }

    /// Σw.
    private static func pulls(_ weights: [Double], _ correlations: [[Double]]) -> [Double] {
        correlations.map { row in zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 } }
    }
}
