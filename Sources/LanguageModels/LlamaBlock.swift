import Tensors

// One block of Llama (Touvron et al., arXiv 2307.09288, section 2.2):
//   h = x + O·attention(R·(Q·n + b), R·(K·n + b), V·n + b), n = RMS(x), R the rotation by position;
//   y = h + W_down·(silu(W_gate·m)·(W_up·m)), m = RMS(h).
// Qwen3 and OLMo 2 norm Q·n and K·n before R. OLMo 2 norms what attention and feed-forward give, not what they take:
//   h = x + RMS(O·attention(…)), n = x; y = h + RMS(W_down·(…)), m = h.
// Shapes: N tokens, D width, F inner width, H heads of queries and K of keys, d wide. Weights are [outputs, inputs]:
// y = x·Wᵀ.

/// Runs a block; see `Block.forward`.
///
/// `adapters`, and `packed`, its matrices laid out for sampling: in the order of `LlamaTensors.matrices`.
func llamaForward(
    _ weights: LlamaTensors,
    adapters: [[LowRankAdapter]],
    packed: [SamplingMatrix]?,
    _ start: SharedQKV?,
    _ a: BlockActivations,
    _ pass: BlockPass,
    into output: Tensor,
    attend: (BlockActivations) -> Void
) {
    let projection = pass.projection.view(at: 0, shape: a.middle.shape)
    if let start {
        start.copy(to: a)
        for (adapters, part) in zip(adapters, a.qkv.parts) {
            for adapter in adapters { adapter.addUpdate(of: a.attentionInput, to: part) }
        }
    } else {
        llamaStartAttention(weights, adapters: adapters, packed: packed, a, epsilon: pass.epsilon)
    }
    for (part, linear) in zip(a.qkv.parts, weights.attentionInputs) {
        if let bias = linear.bias { addBias(bias, to: part) }
    }
    if let queryGain = weights.queryGain, let keyGain = weights.keyGain {
        normHeads(a.qkv.queries, gain: queryGain, epsilon: pass.epsilon, plain: a.plainQueries, rstd: a.rstdQueries)
        normHeads(a.qkv.keys, gain: keyGain, epsilon: pass.epsilon, plain: a.plainKeys, rstd: a.rstdKeys)
    }
    if let (cosines, sines) = pass.rotary {
        rotate(a.qkv.queries, cosines: cosines, sines: sines)
        rotate(a.qkv.keys, cosines: cosines, sines: sines)
    }
    a.qkv.roundKeysAndValues(to: a.attentionInput.elementType)
    attend(a)
    let residual = a.readResidual()
    let attentionOutput = weights.normsOutputs ? a.attentionOutput : projection
    linearForward(a.attended, weights.output.weight, adapters[3], packed: packed?[3], into: attentionOutput)
    if weights.normsOutputs {
        let rstd = a.rstd1.view(at: 0, shape: [a.middle.shape[0]])
        rmsNormForward(x: attentionOutput, gain: weights.gain1, epsilon: pass.epsilon, into: projection, rstd: rstd)
    }
    addResidual(projection, bias: weights.output.bias, to: residual, into: a.middle)

    if weights.normsOutputs {
        a.feedForwardInput.copy(from: a.middle)
    } else {
        rmsNormForward(x: a.middle, gain: weights.gain2, epsilon: pass.epsilon, into: a.feedForwardInput, rstd: a.rstd2)
    }
    linearForward(a.feedForwardInput, weights.gate, adapters[4], packed: packed?[4], into: a.preActivation)
    linearForward(a.feedForwardInput, weights.up, adapters[5], packed: packed?[5], into: a.up)
    swigluForward(gate: a.preActivation, up: a.up, into: a.activation)
    let feedForwardOutput = weights.normsOutputs ? a.feedForwardOutput : projection
    linearForward(a.activation, weights.down, adapters[6], packed: packed?[6], into: feedForwardOutput)
    if weights.normsOutputs {
        rmsNormForward(
            x: feedForwardOutput,
            gain: weights.gain2,
            epsilon: pass.epsilon,
            into: projection,
            rstd: a.rstd2
        )
    }
    addResidual(projection, bias: nil, to: a.middle, into: output)
}

/// See `Block.startAttention`; the updates of adapters are added where there are some.
func llamaStartAttention(
    _ weights: LlamaTensors,
    adapters: [[LowRankAdapter]]?,
    packed: [SamplingMatrix]?,
    _ a: BlockActivations,
    epsilon: Float
) {
    if weights.normsOutputs {
        a.attentionInput.copy(from: a.input)
    } else {
        rmsNormForward(x: a.input, gain: weights.gain1, epsilon: epsilon, into: a.attentionInput, rstd: a.rstd1)
    }
    for (i, (part, linear)) in zip(a.qkv.parts, weights.attentionInputs).enumerated() {
        linearForward(a.attentionInput, linear.weight, adapters?[i] ?? [], packed: packed?[i], into: part)
    }
}

/// Norms queries or keys in place, [N, H·d] in rows as wide as the gain; what they were goes to `plain`.
private func normHeads(_ x: Tensor, gain: Tensor, epsilon: Float, plain: Tensor, rstd: Tensor) {
    let rows = [rstd.count, gain.count]
    plain.copy(from: x)
    rmsNormForward(
        x: plain.view(at: 0, shape: rows),
        gain: gain,
        epsilon: epsilon,
        into: x.view(at: 0, shape: rows),
        rstd: rstd
    )
}

/// y = x·Wᵀ, through what sampling reads of W where that is given, and the adapters' updates.
private func linearForward(
    _ x: Tensor,
    _ weight: Tensor,
    _ adapters: [LowRankAdapter],
    packed: SamplingMatrix?,
    into y: Tensor
) {
    if let packed {
        packed.multiply(x, into: y)
        for adapter in adapters { adapter.addPackedUpdate(of: x, to: y) }
    } else {
        multiply(x, transposed: false, weight, transposed: true, into: y, adding: adapters.map { $0.update(x) })
    }
}
