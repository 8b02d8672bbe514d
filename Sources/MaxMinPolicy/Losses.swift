import Foundation

/// The policy loss of some tokens: sums, not means.
package struct PolicyLoss: Equatable, Sendable {
    /// Σ max(−A·ρ, −A·clip(ρ)), for GRPO with the divergence and weighted.
    package var loss = 0.0
    /// d loss / d log-probability of each token.
    package var gradient: [Float] = []
    /// Tokens whose ratio was clipped: they give no gradient.
    package var clipped = 0
    /// Σ k3 of the policy that sampled from the present one: how far the updates of this step have gone, in nats.
    package var divergence = 0.0
}

/// PPO's clipped surrogate, negated: loss = max(−A·ρ, −A·clip(ρ, 1 − ε, 1 + ε)) with ρ = π/π_old.
///
/// Schulman et al., arXiv 1707.06347, eq. 7.
///
/// With advantages of leave-one-out, the same for every token of a response, the gradient at ρ = 1 is REINFORCE's on
/// the whole response; the ratio stays per token because that of a response of many tokens is clipped at once.
package func clippedPolicyLoss(
    logProbabilities: [Float],
    old: [Float],
    advantages: [Float],
    clip: Float
) -> PolicyLoss {
    precondition(logProbabilities.count == old.count && old.count == advantages.count, "one of each for every token")
    var result = PolicyLoss()
    result.gradient.reserveCapacity(old.count)
    for t in old.indices {
        let token = surrogate(logProbabilities[t] - old[t], advantage: advantages[t], clip: clip)
        result.loss += Double(token.loss)
        result.gradient.append(token.gradient)
        result.clipped += token.isClipped ? 1 : 0
        result.divergence += k3(old[t], reference: logProbabilities[t])
    }
    return result
}

/// GRPO's loss: PPO's clipped surrogate, negated, and β·k3 of the policy from the reference on top, each token times
/// its weight.
///
/// Shao et al., arXiv 2402.03300, eq. 3 and 4. Theirs is the mean over responses of the mean over a response's tokens,
/// so a token's weight is the inverse of its response's length, up to a factor.
package func groupRelativeLoss(
    logProbabilities: [Float],
    old: [Float],
    reference: [Float],
    advantages: [Float],
    weights: [Float],
    clip: Float,
    beta: Float
) -> PolicyLoss {
    precondition(logProbabilities.count == old.count && old.count == advantages.count, "one of each for every token")
    precondition(reference.count == old.count && weights.count == old.count, "one of each for every token")
    var result = PolicyLoss()
    result.gradient.reserveCapacity(old.count)
    for t in old.indices {
        let token = surrogate(logProbabilities[t] - old[t], advantage: advantages[t], clip: clip)
        let price = Double(beta) * k3(logProbabilities[t], reference: reference[t])
        result.loss += Double(weights[t]) * (Double(token.loss) + price)
        // d k3/d log π = 1 − π_ref/π
        let slope = -beta * expm1(reference[t] - logProbabilities[t])
        result.gradient.append(weights[t] * (token.gradient + slope))
        result.clipped += token.isClipped ? 1 : 0
        result.divergence += k3(old[t], reference: logProbabilities[t])
    }
    return result
}

/// A token's clipped surrogate, negated, and its derivative by the log-probability: 0 where it is clipped.
private func surrogate(
    _ logRatio: Float,
    advantage: Float,
    clip: Float
) -> (loss: Float, gradient: Float, isClipped: Bool) {
    let ratio = exp(logRatio)
    let free = -advantage * ratio
    let bounded = -advantage * min(max(ratio, 1 - clip), 1 + clip)
    return bounded > free ? (bounded, 0, true) : (free, free, false)
}

/// The value loss of some tokens: sums, not means.
package struct ValueLoss: Equatable, Sendable {
    /// Σ ½·max((V − R)², (V_clipped − R)²).
    package var loss = 0.0
    /// d loss / d value of each token.
    package var gradient: [Float] = []
}

/// Clipped value loss: V_clipped = V_old + clip(V − V_old, −ε, ε); the larger of the two squared errors counts.
package func clippedValueLoss(values: [Float], old: [Float], returns: [Float], clip: Float) -> ValueLoss {
    precondition(values.count == old.count && old.count == returns.count, "one of each for every token")
    var result = ValueLoss()
    result.gradient.reserveCapacity(old.count)
    for t in old.indices {
        let change = values[t] - old[t]
        let error = values[t] - returns[t]
        let boundedError = old[t] + min(max(change, -clip), clip) - returns[t]
        let isClipped = boundedError * boundedError > error * error
        let chosen = isClipped ? boundedError : error
        result.loss += 0.5 * Double(chosen) * Double(chosen)
        // The clipped value is constant in V wherever it differs from V.
        result.gradient.append(isClipped ? 0 : error)
    }
    return result
}
