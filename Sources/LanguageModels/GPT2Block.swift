import Tensors

// One pre-norm transformer block (Radford et al. 2019): h = x + attention(LN1(x)), y = h + W₂·gelu(W₁·LN2(h)).
// Shapes: N tokens, D width, F inner width. Weights are [inputs, outputs]: y = x·W + b.

/// A block's tensors: its parameters (weights of the product type, the rest fp32) or their gradients (fp32).
struct GPT2Tensors {
    let gain1: Tensor
    let bias1: Tensor
    let qkvWeight: Tensor
    let qkvBias: Tensor
    let attentionProjectionWeight: Tensor
    let attentionProjectionBias: Tensor
    let gain2: Tensor
    let bias2: Tensor
    let innerWeight: Tensor
    let innerBias: Tensor
    let outerWeight: Tensor
    let outerBias: Tensor

    init(_ tensors: NamedTensors, prefix: String) {
        gain1 = tensors.vector(prefix + "ln_1.weight")
        bias1 = tensors.vector(prefix + "ln_1.bias")
        qkvWeight = tensors.matrix(prefix + "attn.c_attn.weight")
        qkvBias = tensors.vector(prefix + "attn.c_attn.bias")
        attentionProjectionWeight = tensors.matrix(prefix + "attn.c_proj.weight")
        attentionProjectionBias = tensors.vector(prefix + "attn.c_proj.bias")
        gain2 = tensors.vector(prefix + "ln_2.weight")
        bias2 = tensors.vector(prefix + "ln_2.bias")
        innerWeight = tensors.matrix(prefix + "mlp.c_fc.weight")
        innerBias = tensors.vector(prefix + "mlp.c_fc.bias")
        outerWeight = tensors.matrix(prefix + "mlp.c_proj.weight")
        outerBias = tensors.vector(prefix + "mlp.c_proj.bias")
    }

    /// The matrices in the order in which they are multiplied.
    var matrices: [Tensor] { [qkvWeight, attentionProjectionWeight, innerWeight, outerWeight] }

    /// Name and shape of each, in their order in the flat vector.
    static func shapes(_ configuration: ModelConfiguration, layer: Int) -> [(String, [Int])] {
        let block = configuration.blockPrefix(layer)
        let d = configuration.width
        let f = configuration.innerWidth
        return [
            (block + "ln_1.weight", [d]), (block + "ln_1.bias", [d]),
            (block + "attn.c_attn.weight", [d, 3 * d]), (block + "attn.c_attn.bias", [3 * d]),
            (block + "attn.c_proj.weight", [d, d]), (block + "attn.c_proj.bias", [d]),
            (block + "ln_2.weight", [d]), (block + "ln_2.bias", [d]),
            (block + "mlp.c_fc.weight", [d, f]), (block + "mlp.c_fc.bias", [f]),
            (block + "mlp.c_proj.weight", [f, d]), (block + "mlp.c_proj.bias", [d]),
        ]
    }
}

/// Runs a block; see `Block.forward`.
///
/// `adapters`, and `packed`, its matrices laid out for sampling: in the order of `GPT2Tensors.matrices`.
func gpt2Forward(
    _ weights: GPT2Tensors,
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
        for adapter in adapters[0] { adapter.addUpdate(of: a.attentionInput, to: a.qkv.tensor) }
    } else {
        gpt2StartAttention(weights, adapters: adapters[0], packed: packed?[0], a, epsilon: pass.epsilon)
    }
    addBias(weights.qkvBias, to: a.qkv.tensor)
    a.qkv.roundKeysAndValues(to: a.attentionInput.elementType)
    attend(a)
    let residual = a.readResidual()
    linearForward(a.attended, weights.attentionProjectionWeight, adapters[1], packed: packed?[1], into: projection)
    addResidual(projection, bias: weights.attentionProjectionBias, to: residual, into: a.middle)

    layerNormForward(
        x: a.middle,
        gain: weights.gain2,
        bias: weights.bias2,
        epsilon: pass.epsilon,
        into: a.feedForwardInput,
        mean: a.mean2,
        rstd: a.rstd2
    )
    linearForward(a.feedForwardInput, weights.innerWeight, adapters[2], packed: packed?[2], into: a.preActivation)
    geluForward(x: a.preActivation, bias: weights.innerBias, into: a.activation)
    linearForward(a.activation, weights.outerWeight, adapters[3], packed: packed?[3], into: projection)
    addResidual(projection, bias: weights.outerBias, to: a.middle, into: output)
}

/// See `Block.startAttention`; the update of adapters is added where there are some.
func gpt2StartAttention(
    _ weights: GPT2Tensors,
    adapters: [LowRankAdapter],
    packed: SamplingMatrix?,
    _ a: BlockActivations,
    epsilon: Float
) {
    layerNormForward(
        x: a.input,
        gain: weights.gain1,
        bias: weights.bias1,
        epsilon: epsilon,
        into: a.attentionInput,
        mean: a.mean1,
        rstd: a.rstd1
    )
    linearForward(a.attentionInput, weights.qkvWeight, adapters, packed: packed, into: a.qkv.tensor)
}

/// Back-propagates through a block; see `Block.backward`.
func gpt2Backward(
    _ weights: GPT2Tensors,
    _ gradients: GPT2Tensors?,
    _ adapters: [[LowRankAdapter]],
    _ a: BlockActivations,
    sequences: PackedLayout,
    scratch: BlockBackwardScratch,
    dOutput dy: Tensor,
    dx: Tensor?
) {
    let dActivation = scratch.wide.view(at: 0, shape: a.preActivation.shape)
    let dQKV = scratch.wide.view(at: 0, shape: a.qkv.tensor.shape)
    let dNorm2 = scratch.narrow.view(at: 0, shape: dy.shape)
    let isBFloat16 = a.activation.elementType == .bfloat16

    // y = h + W₂·gelu(W₁·LN2(h) + b₁) + b₂
    if let gradients { biasBackward(dy: dy, biasGradient: gradients.outerBias) }
    linearBackward(
        dy: inProductType(dy, scratch.narrowProduct),
        x: a.activation,
        weight: weights.outerWeight,
        adapters: adapters[3],
        dx: dActivation,
        weightGradient: gradients?.outerWeight
    )
    let dActivationCopy = isBFloat16 ? scratch.wideProduct.view(at: 0, shape: dActivation.shape) : nil
    geluBackward(x: a.preActivation, dy: dActivation, biasGradient: gradients?.innerBias, copy: dActivationCopy)
    linearBackward(
        dy: dActivationCopy ?? dActivation,
        x: a.feedForwardInput,
        weight: weights.innerWeight,
        adapters: adapters[2],
        dx: dNorm2,
        weightGradient: gradients?.innerWeight
    )
    layerNormBackward(
        dy: dNorm2,
        x: a.middle,
        gain: weights.gain2,
        mean: a.mean2,
        rstd: a.rstd2,
        dx: dy,
        gainGradient: gradients?.gain2,
        biasGradient: gradients?.bias2
    )

    // h = x + W·attention(LN1(x)) + b
    if dx == nil && adapters[0].isEmpty && adapters[1].isEmpty { return }
    if let gradients { biasBackward(dy: dy, biasGradient: gradients.attentionProjectionBias) }
    let dAttended = scratch.narrow.view(at: 0, shape: a.attended.shape)
    linearBackward(
        dy: inProductType(dy, scratch.narrowProduct),
        x: a.attended,
        weight: weights.attentionProjectionWeight,
        adapters: adapters[1],
        dx: dAttended,
        weightGradient: gradients?.attentionProjectionWeight
    )
    attentionBackward(
        a.qkv,
        sequences,
        queries: a.rows,
        out: a.attended,
        logSumExp: a.logSumExp,
        dout: dAttended,
        into: dQKV
    )
    if let gradients { biasBackward(dy: dQKV, biasGradient: gradients.qkvBias) }
    let dNorm1 = dx.map { scratch.narrow.view(at: 0, shape: $0.shape) }
    linearBackward(
        dy: inProductType(dQKV, scratch.wideProduct),
        x: a.attentionInput,
        weight: weights.qkvWeight,
        adapters: adapters[0],
        dx: dNorm1,
        weightGradient: gradients?.qkvWeight
    )
    guard let dx, let dNorm1 else { return }
    scatterReadRows(dy, of: a, into: dx)
    layerNormBackward(
        dy: dNorm1,
        x: a.input,
        gain: weights.gain1,
        mean: a.mean1,
        rstd: a.rstd1,
        dx: dx,
        gainGradient: gradients?.gain1,
        biasGradient: gradients?.bias1
    )
}

/// y = x·W, through what sampling reads of W where that is given, and the adapters' updates.
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
        multiply(x, weight, into: y, adding: adapters.map { $0.update(x) })
    }
}

/// For y = x·W: dx = dy·Wᵀ where it is asked for, and xᵀ·dy is added to the weight's gradient; then the adapters' part.
private func linearBackward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    adapters: [LowRankAdapter],
    dx: Tensor?,
    weightGradient: Tensor?
) {
    if let weightGradient { multiply(x, transposed: true, dy, into: weightGradient, accumulate: true) }
    let updates = adapters.compactMap { $0.backward(dy: dy, x: x) }
    guard let dx else { return }
    multiply(dy, transposed: false, weight, transposed: true, into: dx, adding: updates)
    for adapter in adapters { adapter.addDropped(to: dx) }
}
