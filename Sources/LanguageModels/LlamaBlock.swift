import Tensors

// One block of Llama (Touvron et al., arXiv 2307.09288, section 2.2):
//   h = x + O·attention(R·(Q·n + b), R·(K·n + b), V·n + b), n = RMS(x), R the rotation by position;
//   y = h + W_down·(silu(W_gate·m)·(W_up·m)), m = RMS(h).
// Qwen3 and OLMo 2 norm Q·n and K·n before R. OLMo 2 norms what attention and feed-forward give, not what they take:
//   h = x + RMS(O·attention(…)), n = x; y = h + RMS(W_down·(…)), m = h.
// Shapes: N tokens, D width, F inner width, H heads of queries and K of keys, d wide. Weights are [outputs, inputs]:
// y = x·Wᵀ.

/// A block's tensors: its parameters (weights of the product type, the rest fp32) or their gradients (fp32).
struct LlamaTensors {
    /// Whether attention and feed-forward are normed after them.
    let normsOutputs: Bool
    /// Of the norms before attention and feed-forward, or after them.
    let gain1: Tensor
    let queries: LinearTensors
    let keys: LinearTensors
    let values: LinearTensors
    /// Of the norms of queries and keys.
    let queryGain: Tensor?
    let keyGain: Tensor?
    let output: LinearTensors
    let gain2: Tensor
    let gate: Tensor
    let up: Tensor
    let down: Tensor

    /// A projection of attention, with its bias where it has one.
    struct LinearTensors {
        let weight: Tensor
        let bias: Tensor?
    }

    init(_ tensors: NamedTensors, _ shape: LlamaShape, prefix: String) {
        func projection(_ name: String, hasBias: Bool) -> LinearTensors {
            let name = prefix + "self_attn." + name
            return LinearTensors(
                weight: tensors.matrix(name + ".weight"),
                bias: hasBias ? tensors.vector(name + ".bias") : nil
            )
        }
        let norms = Self.normNames(shape)
        normsOutputs = shape.normsOutputs
        gain1 = tensors.vector(prefix + norms.attention)
        queries = projection("q_proj", hasBias: shape.attentionBias != .none)
        keys = projection("k_proj", hasBias: shape.attentionBias != .none)
        values = projection("v_proj", hasBias: shape.attentionBias != .none)
        let hasNorm = shape.queryKeyNorm != nil
        queryGain = hasNorm ? tensors.vector(prefix + "self_attn.q_norm.weight") : nil
        keyGain = hasNorm ? tensors.vector(prefix + "self_attn.k_norm.weight") : nil
        output = projection("o_proj", hasBias: shape.attentionBias == .all)
        gain2 = tensors.vector(prefix + norms.feedForward)
        gate = tensors.matrix(prefix + "mlp.gate_proj.weight")
        up = tensors.matrix(prefix + "mlp.up_proj.weight")
        down = tensors.matrix(prefix + "mlp.down_proj.weight")
    }

    private static func normNames(_ shape: LlamaShape) -> (attention: String, feedForward: String) {
        shape.normsOutputs
            ? ("post_attention_layernorm.weight", "post_feedforward_layernorm.weight")
            : ("input_layernorm.weight", "post_attention_layernorm.weight")
    }

    /// What attention reads its input through.
    var attentionInputs: [LinearTensors] { [queries, keys, values] }

    /// The matrices in the order in which they are multiplied.
    var matrices: [Tensor] { [queries.weight, keys.weight, values.weight, output.weight, gate, up, down] }

    /// Name and shape of each, in their order in the flat vector.
    static func shapes(_ configuration: ModelConfiguration, _ llama: LlamaShape, layer: Int) -> [(String, [Int])] {
        let block = configuration.blockPrefix(layer)
        let d = configuration.width
        let f = configuration.innerWidth
        let attention = configuration.attentionWidth
        let keyValue = llama.keyValueHeads * llama.headWidth
        func projection(_ name: String, _ shape: [Int], hasBias: Bool) -> [(String, [Int])] {
            let name = block + "self_attn." + name
            return [(name + ".weight", shape)] + (hasBias ? [(name + ".bias", [shape[0]])] : [])
        }
        let norms = normNames(llama)
        let normed: (queries: Int, keys: Int)? =
            switch llama.queryKeyNorm {
            case nil: nil
            case .heads: (llama.headWidth, llama.headWidth)
            case .tokens: (attention, keyValue)
            }
        let queryKeyNorms = normed.map { width in
            [
                (block + "self_attn.q_norm.weight", [width.queries]),
                (block + "self_attn.k_norm.weight", [width.keys]),
            ]
        }
        return [(block + norms.attention, [d])]
            + projection("q_proj", [attention, d], hasBias: llama.attentionBias != .none)
            + projection("k_proj", [keyValue, d], hasBias: llama.attentionBias != .none)
            + projection("v_proj", [keyValue, d], hasBias: llama.attentionBias != .none)
            + (queryKeyNorms ?? [])
            + projection("o_proj", [d, attention], hasBias: llama.attentionBias == .all)
            + [
                (block + norms.feedForward, [d]),
                (block + "mlp.gate_proj.weight", [f, d]), (block + "mlp.up_proj.weight", [f, d]),
                (block + "mlp.down_proj.weight", [d, f]),
            ]
    }
}

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
