import Foundation

/// log σ(x) = −log(1 + e⁻ˣ), without overflow for any x.
package func logSigmoid(_ x: Double) -> Double {
    min(x, 0) - log1p(exp(-abs(x)))
}

/// σ(x) = 1/(1 + e⁻ˣ), without overflow for any x.
package func sigmoid(_ x: Double) -> Double {
    let tail = exp(-abs(x))
    return x >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
}

/// The Bradley–Terry loss of comparisons and its gradient.
///
/// The loss is equation 3 of MaxMin-RLHF (arXiv 2402.08925).
/// With the margin Δ = r(x, y⁺) − r(x, y⁻) the loss is −Σ log σ(Δ), and d loss / dΔ = −σ(−Δ).
package func bradleyTerry(margins: [Float]) -> (loss: Double, dMargins: [Float]) {
    var loss = 0.0
    let dMargins = margins.map { margin in
        loss -= logSigmoid(Double(margin))
        return Float(-sigmoid(-Double(margin)))
    }
    return (loss, dMargins)
}

/// How many comparisons the margins decide rightly; a tie counts half.
package func correctCount(margins: [Float]) -> Double {
    margins.reduce(0) { $0 + ($1 > 0 ? 1 : $1 == 0 ? 0.5 : 0) }
}
