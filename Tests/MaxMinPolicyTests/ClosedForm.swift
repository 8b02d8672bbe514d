import Foundation

/// MaxMin on a finite set of responses, solved exactly.
///
/// For fixed w, max_π Σ_u w_u·E_π[r_u] − β·KL(π ‖ π_ref) = β·log Σ_y π_ref(y)·exp(Σ_u w_u·r_u(y)/β), reached by
/// π_w(y) ∝ π_ref(y)·exp(Σ_u w_u·r_u(y)/β); the worst-off group's best utility is its minimum over w.
struct ClosedForm {
    let reference: [Double]
    /// Groups × responses; two groups.
    let rewards: [[Double]]
    let beta: Double

    func logWeights(_ w: Double) -> [Double] {
        reference.indices.map { log(reference[$0]) + (w * rewards[0][$0] + (1 - w) * rewards[1][$0]) / beta }
    }

    /// β·log Z at weights (w, 1 − w).
    func value(_ w: Double) -> Double {
        beta * log(logWeights(w).reduce(0) { $0 + exp($1) })
    }

    func policy(_ w: Double) -> [Double] {
        let weights = logWeights(w).map { exp($0) }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    /// The saddle point's weight of group 0, by golden section: the value is convex in w.
    func saddle() -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<80 {
            let (a, b) = (high - 0.618_033_988_75 * (high - low), low + 0.618_033_988_75 * (high - low))
            if value(a) < value(b) { high = b } else { low = a }
        }
        return (low + high) / 2
    }

    /// F_u of any policy.
    func utilities(_ policy: [Double]) -> [Double] {
        let divergence = zip(policy, reference).reduce(0.0) { $0 + ($1.0 > 0 ? $1.0 * log($1.0 / $1.1) : 0) }
        return rewards.map { row in zip(row, policy).reduce(0.0) { $0 + $1.0 * $1.1 } - beta * divergence }
    }
}
