import Foundation

/// A token and its log-probability under the distribution it was drawn from.
struct Draw {
    let token: Int32
    let logProbability: Float
}

/// Draws after temperature, then top-k, then top-p (Holtzman et al., arXiv 1904.09751), each as in `transformers`:
/// top-k keeps what ties with the k-th; top-p keeps the smallest set of most probable tokens whose sum reaches p.
///
/// Of logits that are not finite the log-probability is not.
func sampleToken(logits: [Float], options: SamplingOptions, uniform: Double) -> Draw {
    let scaled = logits.map { Double($0 / options.temperature) }
    guard scaled.allSatisfy(\.isFinite) else { return Draw(token: 0, logProbability: .nan) }
    var kept = Array(scaled.indices)
    if options.topK > 0 && options.topK < kept.count {
        let threshold = largest(scaled, options.topK)
        kept = kept.filter { scaled[$0] >= threshold }
    }
    let maximum = kept.reduce(-Double.infinity) { max($0, scaled[$1]) }
    var mass = kept.reduce(0.0) { $0 + exp(scaled[$1] - maximum) }
    if options.topP < 1 {
        // Tokens below (1 − p)/V hold less than 1 − p together, so all of them go: the rest is a short list to sort.
        let floor = (1 - Double(options.topP)) / Double(kept.count) * mass
        let candidates = kept.filter { exp(scaled[$0] - maximum) >= floor }
            .sorted { (scaled[$0], $1) > (scaled[$1], $0) }
        var sum = 0.0
        kept = []
        for token in candidates where sum < Double(options.topP) * mass {
            kept.append(token)
            sum += exp(scaled[token] - maximum)
        }
        kept.sort()
        mass = sum
    }
    var chosen = kept[0]
    var cumulated = 0.0
    for token in kept {
        chosen = token
        cumulated += exp(scaled[token] - maximum)
        if cumulated > uniform * mass { break }
    }
    return Draw(token: Int32(chosen), logProbability: Float(scaled[chosen] - maximum - log(mass)))
}

/// The k-th largest value, 1 ≤ k ≤ count, by quickselect.
private func largest(_ values: [Double], _ k: Int) -> Double {
    var candidates = values
    var rank = k
    while true {
        let pivot = candidates[candidates.count / 2]
        let above = candidates.filter { $0 > pivot }
        if rank <= above.count {
            candidates = above
            continue
        }
        let below = candidates.filter { $0 < pivot }
        let equal = candidates.count - above.count - below.count
        if rank <= above.count + equal { return pivot }
        rank -= above.count + equal
        candidates = below
    }
}
