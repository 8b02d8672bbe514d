import Foundation
import Tensors

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
