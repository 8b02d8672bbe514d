import Tensors

/// Back-propagates through a block; see `Block.backward`.
func llamaBackward(
    _ weights: LlamaTensors,
    _ gradients: LlamaTensors?,
    _ adapters: [[LowRankAdapter]],
    _ a: BlockActivations,
    _ pass: BlockPass,
    sequences: PackedLayout,
    scratch: BlockBackwardScratch,
    dOutput dy: Tensor,
    dx: Tensor?
) {
    // y = h + W_down·(silu(W_gate·m)·(W_up·m))
    let dFeedForward =
        !weights.normsOutputs
        ? dy
        : normBackward(
            dy: dy,
            x: a.feedForwardOutput,
            gain: weights.gain2,
            rstd: a.rstd2,
            into: scratch.narrow,
            gainGradient: gradients?.gain2
        )
    let dActivation = scratch.wide.view(at: 0, shape: a.activation.shape)
    linearBackward(
        dy: inProductType(dFeedForward, scratch.narrowProduct),
        x: a.activation,
        weight: weights.down,
        adapters: adapters[6],
        dx: dActivation,
        weightGradient: gradients?.down
    )
    let dGate = scratch.wideProduct.view(at: 0, shape: a.activation.shape)
    let dUp = scratch.wideProduct.view(at: dGate.count, shape: a.activation.shape)
    swigluBackward(gate: a.preActivation, up: a.up, dy: dActivation, dGate: dGate, dUp: dUp)
    // Where m is h itself, its gradient is added to that of h.
    let dm = weights.normsOutputs ? dy : scratch.narrow.view(at: 0, shape: dy.shape)
    linearBackward(
        dy: dGate,
        x: a.feedForwardInput,
        weight: weights.gate,
        adapters: adapters[4],
        dx: dm,
        accumulate: weights.normsOutputs,
        weightGradient: gradients?.gate
    )
    linearBackward(
        dy: dUp,
        x: a.feedForwardInput,
        weight: weights.up,
        adapters: adapters[5],
        dx: dm,
        accumulate: true,
        weightGradient: gradients?.up
    )
    if !weights.normsOutputs {
        rmsNormBackward(
            dy: dm,
            x: a.middle,
            gain: weights.gain2,
            rstd: a.rstd2,
            dx: dy,
            gainGradient: gradients?.gain2
        )
    }

    // h = x + O·attention(…)
    if dx == nil && adapters[...3].allSatisfy(\.isEmpty) { return }
    if let bias = gradients?.output.bias { biasBackward(dy: dy, biasGradient: bias) }
    let dProjection =
        !weights.normsOutputs
        ? dy
        : normBackward(
            dy: dy,
            x: a.attentionOutput,
            gain: weights.gain1,
            rstd: a.rstd1.view(at: 0, shape: [dy.shape[0]]),
            into: scratch.wide,
            gainGradient: gradients?.gain1
        )
    let dAttended = scratch.narrow.view(at: 0, shape: a.attended.shape)
    linearBackward(
        dy: inProductType(dProjection, scratch.narrowProduct),
        x: a.attended,
        weight: weights.output.weight,
        adapters: adapters[3],
        dx: dAttended,
        weightGradient: gradients?.output.weight
    )
    let dQKV = a.qkv.gradient(in: scratch.wide.view(at: 0, shape: a.qkv.tensor.shape))
    attentionBackward(
        a.qkv,
        sequences,
        queries: a.rows,
        out: a.attended,
        logSumExp: a.logSumExp,
        dout: dAttended,
        into: dQKV.tensor
    )
    if let (cosines, sines) = pass.rotary {
        rotate(dQKV.queries, cosines: cosines, sines: sines, back: true)
        rotate(dQKV.keys, cosines: cosines, sines: sines, back: true)
    }
    for (dy, x, gain, rstd, gradient) in [
        (dQKV.queries, a.plainQueries, weights.queryGain, a.rstdQueries, gradients?.queryGain),
        (dQKV.keys, a.plainKeys, weights.keyGain, a.rstdKeys, gradients?.keyGain),
    ] {
        guard let gain else { continue }
        let rows = [rstd.count, gain.count]
        let dx = normBackward(
            dy: dy.view(at: 0, shape: rows),
            x: x.view(at: 0, shape: rows),
            gain: gain,
            rstd: rstd,
            into: scratch.narrow,
            gainGradient: gradient
        )
        dy.view(at: 0, shape: rows).copy(from: dx)
    }
    let dNorm1 = dx.map { scratch.narrow.view(at: 0, shape: $0.shape) }
    for (i, (dy, weight, gradient)) in [
        (dQKV.queries, weights.queries, gradients?.queries), (dQKV.keys, weights.keys, gradients?.keys),
        (dQKV.values, weights.values, gradients?.values),
    ].enumerated() {
        if let bias = gradient?.bias { biasBackward(dy: dy, biasGradient: bias) }
        linearBackward(
            dy: inProductType(dy, scratch.wideProduct),
            x: a.attentionInput,
            weight: weight.weight,
            adapters: adapters[i],
            dx: dNorm1,
            accumulate: i > 0,
            weightGradient: gradient?.weight
        )
    }
    guard let dx, let dNorm1 else { return }
    scatterReadRows(dy, of: a, into: dx)
    if weights.normsOutputs {
        addResidual(dNorm1, bias: nil, to: dx, into: dx)
        return
    }
    rmsNormBackward(
        dy: dNorm1,
        x: a.input,
        gain: weights.gain1,
        rstd: a.rstd1,
        dx: dx,
        gainGradient: gradients?.gain1
    )
}

/// The gradient of what a norm reads, in memory that is not `dy`'s.
private func normBackward(
    dy: Tensor,
    x: Tensor,
    gain: Tensor,
    rstd: Tensor,
    into memory: Tensor,
    gainGradient: Tensor?
) -> Tensor {
    let dx = memory.view(at: 0, shape: dy.shape)
    dx.fill(0)
    rmsNormBackward(dy: dy, x: x, gain: gain, rstd: rstd, dx: dx, gainGradient: gainGradient)
    return dx
}

/// For y = x·Wᵀ: dx = dy·W (or is added to it) where it is asked for, and dyᵀ·x is added to the weight's gradient; then
/// the adapters' part.
private func linearBackward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    adapters: [LowRankAdapter],
    dx: Tensor?,
    accumulate: Bool = false,
    weightGradient: Tensor?
) {
    if let weightGradient { multiply(dy, transposed: true, x, into: weightGradient, accumulate: true) }
    let updates = adapters.compactMap { $0.backward(dy: dy, x: x) }
    guard let dx else { return }
    multiply(dy, weight, into: dx, accumulate: accumulate, adding: updates)
    for adapter in adapters { adapter.addDropped(to: dx) }
}
