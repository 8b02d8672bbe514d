import CKernels

/// logProbability[r] = log softmax(logits[r]/temperature)[targets[r]] and entropy[r] of the same distribution.
///
/// logits: [R, V] float32, unchanged; logNormalizer [R] = log Σ exp(logits/temperature), kept for the backward pass.
/// A logit of −∞ has probability 0; a row of nothing else gives NaN.
package func logProbabilitiesForward(
    logits: Tensor,
    targets: [Int32],
    temperature: Float,
    logProbability: Tensor,
    entropy: Tensor,
    logNormalizer: Tensor
) {
    let (n, v) = matrix(logits, "logits")
    precondition(targets.count == n, "\(targets.count) targets for \(n) rows")
    expect(targets, below: v, "targets")
    expect(logProbability, count: n, "logProbability")
    expect(entropy, count: n, "entropy")
    expect(logNormalizer, count: n, "logNormalizer")
    unsafe ck_log_probabilities_forward(
        logits.floats,
        targets,
        temperature,
        n,
        v,
        logProbability.floats,
        entropy.floats,
        logNormalizer.floats
    )
}

/// dlogits[r, v] = dlogp[r]·(1[v = target] − softmax(logits[r]/temperature)[v])/temperature.
///
/// dlogits: [R, V] of either type; may be `logits` itself.
package func logProbabilitiesBackward(
    logits: Tensor,
    targets: [Int32],
    temperature: Float,
    logNormalizer: Tensor,
    dlogp: Tensor,
    into dlogits: Tensor
) {
    let (n, v) = matrix(logits, "logits")
    precondition(targets.count == n, "\(targets.count) targets for \(n) rows")
    expect(targets, below: v, "targets")
    expect(logNormalizer, count: n, "logNormalizer")
    expect(dlogp, count: n, "dlogp")
    expect(dlogits, [n, v], "dlogits")
    unsafe ck_log_probabilities_backward(
        logits.floats,
        targets,
        temperature,
        logNormalizer.floats,
        dlogp.floats,
        n,
        v,
        dlogits.bytes,
        dlogits.elementType.code
    )
}

/// divergence[r] = KL(softmax(logits[r]/temperature) ‖ softmax(other[r]/temperature)), in nats.
///
/// logits, other: [R, V] float32, unchanged; their logNormalizers [R] as `logProbabilitiesForward` gives them. A
/// logarithm of a probability counts as −200 at least.
package func divergence(
    logits: Tensor,
    logNormalizer: Tensor,
    from other: Tensor,
    logNormalizer otherNormalizer: Tensor,
    temperature: Float,
    into divergence: Tensor
) {
    let (n, v) = matrix(logits, "logits")
    expect(other, [n, v], "other")
    expect(logNormalizer, count: n, "logNormalizer")
    expect(otherNormalizer, count: n, "otherNormalizer")
    expect(divergence, count: n, "divergence")
    unsafe ck_divergence(
        logits.floats,
        logNormalizer.floats,
        other.floats,
        otherNormalizer.floats,
        temperature,
        n,
        v,
        divergence.floats
    )
}
