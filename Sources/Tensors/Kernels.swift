// Shapes: N tokens of all packed sequences, S sequences, D width, H heads, d = D/H, V vocabulary, R scored rows.
// Every kernel runs on the shared OpenMP pool. Where a destination "accumulates", the result is added to what it holds.

/// Threads.
public enum KernelThreads {
    /// Sets how many threads kernels, OpenBLAS and oneDNN use in this process.
    public static func set(_ count: Int) { fatalError() }
}

/// Whether this build and this CPU can do bf16 products (trait OneDNN and AVX512-BF16 or AMX for speed).
public enum Precisions {
    /// bf16 products are compiled in.
    public static var hasBFloat16: Bool { fatalError() }
    /// bf16 products are compiled in and the CPU has instructions for them.
    public static var prefersBFloat16: Bool { fatalError() }
}

/// C = op(A)·op(B), or C += op(A)·op(B); A and B of the same element type (float32: OpenBLAS; bfloat16: oneDNN), fp32
/// accumulation, C float32. op is transposition where asked. A: [M, K] (or [K, M] transposed), B: [K, N] (or [N, K]
/// transposed), C: [M, N].
public func multiply(
    _ a: Tensor, transposed transposeA: Bool = false, _ b: Tensor, transposed transposeB: Bool = false,
    into c: Tensor, accumulate: Bool = false
) { fatalError() }

/// x[i] = tokenEmbedding[tokens[i]] + positionEmbedding[positions[i]]. x: [N, D].
public func embeddingForward(
    tokens: [Int32], positions: [Int32], tokenEmbedding: Tensor, positionEmbedding: Tensor, into x: Tensor
) { fatalError() }
/// Adds dx [N, D] to the gradients of both embeddings. Deterministic for repeated tokens.
public func embeddingBackward(
    dx: Tensor, tokens: [Int32], positions: [Int32], tokenGradient: Tensor, positionGradient: Tensor
) { fatalError() }

/// y = (x − mean)·rstd·gain + bias per row. x: [N, D] float32; y: [N, D] of either type; mean, rstd: [N].
public func layerNormForward(
    x: Tensor, gain: Tensor, bias: Tensor, epsilon: Float, into y: Tensor, mean: Tensor, rstd: Tensor
) { fatalError() }
/// dx (accumulates), gain and bias gradients (accumulate) from dy [N, D] float32.
public func layerNormBackward(
    dy: Tensor, x: Tensor, gain: Tensor, mean: Tensor, rstd: Tensor, dx: Tensor, gainGradient: Tensor, biasGradient: Tensor
) { fatalError() }

/// x += bias on every row, in place. x: [N, D] float32.
public func addBias(_ bias: Tensor, to x: Tensor) { fatalError() }
/// residual += x + bias on every row. All [N, D] float32.
public func addResidual(_ x: Tensor, bias: Tensor, to residual: Tensor) { fatalError() }
/// biasGradient += Σ over rows of dy. dy: [N, D] float32.
public func biasBackward(dy: Tensor, biasGradient: Tensor) { fatalError() }

/// x += bias (kept in x for the backward pass), y = gelu_tanh(x). x: [N, F] float32, y of either type.
public func geluForward(x: Tensor, bias: Tensor, into y: Tensor) { fatalError() }
/// dy := dy · gelu'(x), in place. dy, x: [N, F] float32.
public func geluBackward(x: Tensor, dy: Tensor) { fatalError() }

/// Causal self-attention of packed sequences: softmax(q·kᵀ/√d)·v per sequence and head.
/// qkv: [N, 3D] float32 (q, k, v side by side); offsets: S+1 row numbers; out: [N, D] of either type;
/// logSumExp: [H, N] float32, kept for the backward pass.
public func attentionForward(qkv: Tensor, offsets: [Int32], heads: Int, into out: Tensor, logSumExp: Tensor) { fatalError() }
/// dqkv [N, 3D] (overwritten) from dout [N, D] float32.
public func attentionBackward(
    qkv: Tensor, offsets: [Int32], heads: Int, out: Tensor, logSumExp: Tensor, dout: Tensor, into dqkv: Tensor
) { fatalError() }
/// One new token per sequence against its cache: writes k and v of row s into cache slot `slots[s]` at `lengths[s]`, then
/// attends over lengths[s] + 1 positions. qkv: [B, 3D] float32; keyCache, valueCache: [slots, capacity, D] float32; out [B, D].
public func attentionDecode(
    qkv: Tensor, keyCache: Tensor, valueCache: Tensor, slots: [Int32], lengths: [Int32], heads: Int, into out: Tensor
) { fatalError() }

/// logProbability[r] = log softmax(logits[r]/temperature)[targets[r]] and entropy[r] of the same distribution.
/// logits: [R, V] float32, unchanged; logNormaliser [R] = log Σ exp(logits/temperature), kept for the backward pass.
public func logProbabilitiesForward(
    logits: Tensor, targets: [Int32], temperature: Float, logProbability: Tensor, entropy: Tensor, logNormaliser: Tensor
) { fatalError() }
/// dlogits[r, v] = dlogp[r]·(1[v = target] − softmax(logits[r]/temperature)[v])/temperature, into a tensor of either type
/// (may be `logits` itself).
public func logProbabilitiesBackward(
    logits: Tensor, targets: [Int32], temperature: Float, logNormaliser: Tensor, dlogp: Tensor, into dlogits: Tensor
) { fatalError() }

/// out[i] = x[rows[i]]. x: [N, D], out: [R, D]; either type, converting where they differ.
public func gatherRows(_ x: Tensor, _ rows: [Int32], into out: Tensor) { fatalError() }
/// out[rows[i]] += x[i]. x: [R, D], out: [N, D] float32; rows distinct.
public func scatterAddRows(_ x: Tensor, _ rows: [Int32], into out: Tensor) { fatalError() }

/// y += scale·x, element by element, float32.
public func addScaled(_ x: Tensor, scale: Float, to y: Tensor) { fatalError() }
/// x *= scale, float32.
public func scale(_ x: Tensor, by factor: Float) { fatalError() }
/// Σ x², accumulated in float64 in a fixed order; not finite if any element is not.
public func sumOfSquares(_ x: Tensor) -> Double { fatalError() }
/// How many elements are NaN or infinite.
public func nonFiniteCount(_ x: Tensor) -> Int { fatalError() }

/// One AdamW step (Loshchilov & Hutter, arXiv 1711.05101), decoupled decay, bias-corrected, on flat float32 tensors.
/// `step` counts from 1; `gradientScale` multiplies the gradient first (clipping).
public func adamWStep(
    parameters: Tensor, gradients: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: Int, learningRate: Float,
    beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, gradientScale: Float
) { fatalError() }
