import Foundation
package import Preferences

// Of responses y_1 … y_n of which the first m are ranked, with rewards r (Plackett–Luce of the top m):
//
//     log p = Σ_{i ≤ m} [ r(y_i) − log Σ_{j ≥ i} exp r(y_j) ]
//
// A pair is n = 2, m = 1: log σ(Δ) with Δ = r(y⁺) − r(y⁻), the Bradley–Terry model (equation 3 of MaxMin-RLHF, arXiv
// 2402.08925).

/// log p of an ordered choice whose rewards are multiplied by `scale`.
///
/// `rewards`: one of each response, the ranked ones first.
package func logProbability(ofOrder rewards: ArraySlice<Float>, ranked: Int, scale: Double = 1) -> Double {
    rewards.indices.prefix(ranked).reduce(0) { sum, best in
        let (largest, rest) = tail(rewards[best...], scale)
        return sum - (largest + log1p(rest))
    }
}

/// The loss −Σ log p of comparisons and its derivative with respect to each reward.
///
/// `rewards`: those of each comparison's responses, one after the other. The weights of comparisons play no part.
package func plackettLuce(
    _ rewards: [Float],
    of comparisons: some Sequence<TokenizedComparison>
) -> (loss: Double, dRewards: [Float]) {
    var loss = 0.0
    var dRewards = [Float](repeating: 0, count: rewards.count)
    for (comparison, rewards) in byComparison(rewards, of: comparisons) {
        loss -= logProbability(ofOrder: rewards, ranked: comparison.ranked)
        for best in rewards.indices.prefix(comparison.ranked) {
            // −log of a softmax: each response below pulls by its probability, and the best one by their sum.
            let (largest, rest) = tail(rewards[best...], 1)
            var below = 0.0
            for other in rewards.indices[(best + 1)...] {
                let probability = exp(Double(rewards[other] - rewards[best]) - largest) / (1 + rest)
                dRewards[other] += Float(probability)
                below += probability
            }
            dRewards[best] -= Float(below)
        }
    }
    return (loss, dRewards)
}

/// How much of an order the rewards get right: of every two responses of which the user preferred one, the part that
/// they put in that order; equal rewards count half.
package func concordance(_ rewards: ArraySlice<Float>, ranked: Int) -> Double {
    var right = 0.0
    var pairs = 0
    for best in rewards.indices.prefix(ranked) {
        for other in rewards.indices[(best + 1)...] {
            right += rewards[best] > rewards[other] ? 1 : rewards[best] == rewards[other] ? 0.5 : 0
            pairs += 1
        }
    }
    return right / Double(pairs)
}

/// By how much the rewards of an order differ: of every two responses of which the user preferred one, the mean of
/// r(better) − r(worse).
func meanMargin(_ rewards: ArraySlice<Float>, ranked: Int) -> Double {
    var sum = 0.0
    var pairs = 0
    for best in rewards.indices.prefix(ranked) {
        for other in rewards.indices[(best + 1)...] {
            sum += Double(rewards[best] - rewards[other])
            pairs += 1
        }
    }
    return sum / Double(pairs)
}

/// A comparison with its responses' rewards.
typealias ScoredComparison = (comparison: TokenizedComparison, rewards: ArraySlice<Float>)

/// Each comparison with its rewards, which lie one after the other.
func byComparison(_ rewards: [Float], of comparisons: some Sequence<TokenizedComparison>) -> [ScoredComparison] {
    var end = 0
    return comparisons.map { comparison in
        defer { end += comparison.sequences.count }
        return (comparison, rewards[end..<end + comparison.sequences.count])
    }
}

/// log Σ_j exp(s·(r_j − r_first)) as its largest term and the sum of the others relative to it: without overflow, and
/// log(1 + rest) keeps what is small.
private func tail(_ rewards: ArraySlice<Float>, _ scale: Double) -> (largest: Double, rest: Double) {
    let first = rewards[rewards.startIndex]
    // The difference of two rewards is a float, as the margin Δ of a pair is.
    let terms = rewards.map { -scale * Double(first - $0) }
    let top = terms.indices.reduce(0) { terms[$1] > terms[$0] ? $1 : $0 }
    let rest = terms.indices.reduce(0) { $1 == top ? $0 : $0 + exp(terms[$1] - terms[top]) }
    return (terms[top], rest)
}
