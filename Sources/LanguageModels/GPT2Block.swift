import Tensors

// One pre-norm transformer block (Radford et al. 2019): h = x + attention(LN1(x)), y = h + W₂·gelu(W₁·LN2(h)).
// Shapes: N tokens, D width, F inner width. Weights are [inputs, outputs]: y = x·W + b.

/// A block's tensors: its parameters (weights of the product type, the rest fp32) or their gradients (fp32).
struct BlockTensors {
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

    /// Views of a layer's tensors: matrices in `matrices`, vectors in `vectors`, both flat and of P elements.
    init(_ parameters: Parameters, layer: Int, matrices: Tensor, vectors: Tensor) {
        let block = "transformer.h.\(layer)"
        gain1 = parameters.tensor("\(block).ln_1.weight", in: vectors)
        bias1 = parameters.tensor("\(block).ln_1.bias", in: vectors)
        qkvWeight = parameters.tensor("\(block).attn.c_attn.weight", in: matrices)
        qkvBias = parameters.tensor("\(block).attn.c_attn.bias", in: vectors)
        attentionProjectionWeight = parameters.tensor("\(block).attn.c_proj.weight", in: matrices)
        attentionProjectionBias = parameters.tensor("\(block).attn.c_proj.bias", in: vectors)
        gain2 = parameters.tensor("\(block).ln_2.weight", in: vectors)
        bias2 = parameters.tensor("\(block).ln_2.bias", in: vectors)
        innerWeight = parameters.tensor("\(block).mlp.c_fc.weight", in: matrices)
        innerBias = parameters.tensor("\(block).mlp.c_fc.bias", in: vectors)
        outerWeight = parameters.tensor("\(block).mlp.c_proj.weight", in: matrices)
        outerBias = parameters.tensor("\(block).mlp.c_proj.bias", in: vectors)
    }
}

/// Runs a block on `a.input`, filling `a`; the new residual stream goes to `output`, which may be `a.input`.
///
/// `attend` reads `a.qkv` and fills `a.attended`: over packed sequences, or against a cache. `packed`: the weights laid out for
/// sampling.
func blockForward(
    _ weights: BlockTensors,
    packed: SamplingWeights.Block?,
    _ a: BlockActivations,
    projection: Tensor,
    epsilon: Float,
    into output: Tensor,
    attend: (BlockActivations) -> Void
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
    multiply(a.attentionInput, weights.qkvWeight, packed: packed?.qkv, into: a.qkv)
    addBias(weights.qkvBias, to: a.qkv)
    attend(a)
    multiply(a.attended, weights.attentionProjectionWeight, packed: packed?.attentionProjection, into: projection)
    a.middle.copy(from: a.input)
    addResidual(projection, bias: weights.attentionProjectionBias, to: a.middle)

    layerNormForward(
        x: a.middle,
        gain: weights.gain2,
        bias: weights.bias2,
        epsilon: epsilon,
        into: a.feedForwardInput,
        mean: a.mean2,
        rstd: a.rstd2
    )
    multiply(a.feedForwardInput, weights.innerWeight, packed: packed?.inner, into: a.preActivation)
    geluForward(x: a.preActivation, bias: weights.innerBias, into: a.activation)
    multiply(a.activation, weights.outerWeight, packed: packed?.outer, into: projection)
    output.copy(from: a.middle)
    addResidual(projection, bias: weights.outerBias, to: output)
}

/// Memory of a block's backward pass.
struct BlockBackwardScratch {
    /// [N, D].
    let narrow: Tensor
    /// N × max(F, 3D) elements.
    let wide: Tensor
    /// The same sizes in the product type.
    let narrowProduct: Tensor
    let wideProduct: Tensor
}

/// Adds to `gradients`, and turns `dx` [N, D] from the gradient after the block into the one before it.
func blockBackward(
    _ weights: BlockTensors,
    _ gradients: BlockTensors,
    _ a: BlockActivations,
    offsets: [Int32],
    heads: Int,
    scratch: BlockBackwardScratch,
    dx: Tensor
) {
    let dActivation = scratch.wide.view(at: 0, shape: a.preActivation.shape)
    let dQKV = scratch.wide.view(at: 0, shape: a.qkv.shape)
    let isHalf = weights.qkvWeight.elementType == .bfloat16

    // y = h + W₂·gelu(W₁·LN2(h) + b₁) + b₂
    biasBackward(dy: dx, biasGradient: gradients.outerBias)
    linearBackward(
        dy: inProductType(dx, scratch.narrowProduct),
        x: a.activation,
        weight: weights.outerWeight,
        dx: dActivation,
        weightGradient: gradients.outerWeight
    )
    let dActivationCopy = isHalf ? scratch.wideProduct.view(at: 0, shape: dActivation.shape) : nil
    geluBackward(x: a.preActivation, dy: dActivation, biasGradient: gradients.innerBias, copy: dActivationCopy)
    linearBackward(
        dy: dActivationCopy ?? dActivation,
        x: a.feedForwardInput,
        weight: weights.innerWeight,
        dx: scratch.narrow,
        weightGradient: gradients.innerWeight
    )
    layerNormBackward(
        dy: scratch.narrow,
        x: a.middle,
        gain: weights.gain2,
        mean: a.mean2,
        rstd: a.rstd2,
        dx: dx,
        gainGradient: gradients.gain2,
        biasGradient: gradients.bias2
    )

    // h = x + W·attention(LN1(x)) + b
    biasBackward(dy: dx, biasGradient: gradients.attentionProjectionBias)
    linearBackward(
        dy: inProductType(dx, scratch.narrowProduct),
        x: a.attended,
        weight: weights.attentionProjectionWeight,
        dx: scratch.narrow,
        weightGradient: gradients.attentionProjectionWeight
    )
    attentionBackward(
        AttentionInput(a.qkv, heads: heads),
        offsets: offsets,
        out: a.attended,
        logSumExp: a.logSumExp,
        dout: scratch.narrow,
        into: dQKV
    )
    biasBackward(dy: dQKV, biasGradient: gradients.qkvBias)
    linearBackward(
        dy: inProductType(dQKV, scratch.wideProduct),
        x: a.attentionInput,
        weight: weights.qkvWeight,
        dx: scratch.narrow,
        weightGradient: gradients.qkvWeight
    )
    layerNormBackward(
        dy: scratch.narrow,
        x: a.input,
        gain: weights.gain1,
        mean: a.mean1,
        rstd: a.rstd1,
        dx: dx,
        gainGradient: gradients.gain1,
        biasGradient: gradients.bias1
    )
}

/// For y = x·W: dx = dy·Wᵀ, and xᵀ·dy is added to the weight's gradient.
private func linearBackward(dy: Tensor, x: Tensor, weight: Tensor, dx: Tensor, weightGradient: Tensor) {
    multiply(dy, transposed: false, weight, transposed: true, into: dx)
    multiply(x, transposed: true, dy, into: weightGradient, accumulate: true)
}

/// `x` itself where products are fp32, else its bf16 copy in `scratch`.
func inProductType(_ x: Tensor, _ scratch: Tensor) -> Tensor {
    guard scratch.elementType != x.elementType else { return x }
    let copy = scratch.view(at: 0, shape: x.shape)
    copy.copy(from: x)
    return copy
}
