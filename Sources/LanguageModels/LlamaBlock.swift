import Tensors

// One block of Llama (Touvron et al., arXiv 2307.09288, section 2.2):
//   h = x + O·attention(R·(Q·n + b), R·(K·n + b), V·n + b), n = RMS(x), R the rotation by position;
//   y = h + W_down·(silu(W_gate·m)·(W_up·m)), m = RMS(h).
// Shapes: N tokens, D width, F inner width, H heads of queries and K of keys, d wide. Weights are [outputs, inputs]:
// y = x·Wᵀ.

/// A block's tensors: its parameters (weights of the product type, the rest fp32) or their gradients (fp32).
struct LlamaTensors {
    let gain1: Tensor
    let queries: LinearTensors
    let keys: LinearTensors
    let values: LinearTensors
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
        gain1 = tensors.vector(prefix + "input_layernorm.weight")
        queries = projection("q_proj", hasBias: shape.attentionBias != .none)
        keys = projection("k_proj", hasBias: shape.attentionBias != .none)
        values = projection("v_proj", hasBias: shape.attentionBias != .none)
        output = projection("o_proj", hasBias: shape.attentionBias == .all)
        gain2 = tensors.vector(prefix + "post_attention_layernorm.weight")
        gate = tensors.matrix(prefix + "mlp.gate_proj.weight")
        up = tensors.matrix(prefix + "mlp.up_proj.weight")
        down = tensors.matrix(prefix + "mlp.down_proj.weight")
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
        return [(block + "input_layernorm.weight", [d])]
            + projection("q_proj", [attention, d], hasBias: llama.attentionBias != .none)
            + projection("k_proj", [keyValue, d], hasBias: llama.attentionBias != .none)
            + projection("v_proj", [keyValue, d], hasBias: llama.attentionBias != .none)
            + projection("o_proj", [d, attention], hasBias: llama.attentionBias == .all)
            + [
                (block + "post_attention_layernorm.weight", [d]),
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
    if let (cosines, sines) = pass.rotary {
        rotate(a.qkv.queries, cosines: cosines, sines: sines)
        rotate(a.qkv.keys, cosines: cosines, sines: sines)
    }
    attend(a)
    let residual = a.readResidual()
    linearForward(a.attended, weights.output.weight, adapters[3], packed: packed?[3], into: projection)
    addResidual(projection, bias: weights.output.bias, to: residual, into: a.middle)

    rmsNormForward(x: a.middle, gain: weights.gain2, epsilon: pass.epsilon, into: a.feedForwardInput, rstd: a.rstd2)
    linearForward(a.feedForwardInput, weights.gate, adapters[4], packed: packed?[4], into: a.preActivation)
    linearForward(a.feedForwardInput, weights.up, adapters[5], packed: packed?[5], into: a.up)
    swigluForward(gate: a.preActivation, up: a.up, into: a.activation)
    linearForward(a.activation, weights.down, adapters[6], packed: packed?[6], into: projection)
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
    rmsNormForward(x: a.input, gain: weights.gain1, epsilon: epsilon, into: a.attentionInput, rstd: a.rstd1)
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
    let dNorm2 = scratch.narrow.view(at: 0, shape: dy.shape)

    // y = h + W_down·(silu(W_gate·m)·(W_up·m))
    let dActivation = scratch.wide.view(at: 0, shape: a.activation.shape)
    linearBackward(
        dy: inProductType(dy, scratch.narrowProduct),
        x: a.activation,
        weight: weights.down,
        adapters: adapters[6],
        dx: dActivation,
        weightGradient: gradients?.down
    )
    let dGate = scratch.wideProduct.view(at: 0, shape: a.activation.shape)
    let dUp = scratch.wideProduct.view(at: dGate.count, shape: a.activation.shape)
    swigluBackward(gate: a.preActivation, up: a.up, dy: dActivation, dGate: dGate, dUp: dUp)
    linearBackward(
        dy: dGate,
        x: a.feedForwardInput,
        weight: weights.gate,
        adapters: adapters[4],
        dx: dNorm2,
        weightGradient: gradients?.gate
    )
    linearBackward(
        dy: dUp,
        x: a.feedForwardInput,
        weight: weights.up,
        adapters: adapters[5],
        dx: dNorm2,
        accumulate: true,
        weightGradient: gradients?.up
    )
    rmsNormBackward(
        dy: dNorm2,
        x: a.middle,
        gain: weights.gain2,
        rstd: a.rstd2,
        dx: dy,
        gainGradient: gradients?.gain2
    )

    // h = x + O·attention(…)
    if dx == nil && adapters[...3].allSatisfy(\.isEmpty) { return }
    if let bias = gradients?.output.bias { biasBackward(dy: dy, biasGradient: bias) }
    let dAttended = scratch.narrow.view(at: 0, shape: a.attended.shape)
    linearBackward(
        dy: inProductType(dy, scratch.narrowProduct),
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
    rmsNormBackward(
        dy: dNorm1,
        x: a.input,
        gain: weights.gain1,
        rstd: a.rstd1,
        dx: dx,
        gainGradient: gradients?.gain1
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
