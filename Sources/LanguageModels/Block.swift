import Tensors

/// Finds tensors by name: matrices and embeddings in the type of products, vectors in fp32.
struct NamedTensors {
    let matrix: (String) -> Tensor
    let vector: (String) -> Tensor

    init(matrix: @escaping (String) -> Tensor, vector: @escaping (String) -> Tensor) {
        self.matrix = matrix
        self.vector = vector
    }

    /// Views of two flat vectors of P elements.
    init(_ parameters: Parameters, matrices: Tensor, vectors: Tensor) {
        matrix = { parameters.tensor($0, in: matrices) }
        vector = { parameters.tensor($0, in: vectors) }
    }
}

/// One transformer block, as parameters or as their gradients.
enum Block {
    case gpt2(GPT2Tensors)
    case llama(LlamaTensors)

    init(_ configuration: ModelConfiguration, layer: Int, _ tensors: NamedTensors) {
        let prefix = configuration.blockPrefix(layer)
        switch configuration.family {
        case .gpt2: self = .gpt2(GPT2Tensors(tensors, prefix: prefix))
        case .llama(let shape): self = .llama(LlamaTensors(tensors, shape, prefix: prefix))
        }
    }

    /// The matrices in the order in which they are multiplied, [inputs, outputs] or `storesOutputsFirst`.
    var matrices: [Tensor] {
        switch self {
        case .gpt2(let tensors): tensors.matrices
        case .llama(let tensors): tensors.matrices
        }
    }

    /// Whether matrices are [outputs, inputs].
    var storesOutputsFirst: Bool {
        if case .llama = self { true } else { false }
    }

    /// Runs the block on `a.input`, filling `a`; the read rows of the new residual stream go to `output` [R, D], which
    /// may be `a.input`.
    ///
    /// `attend` reads `a.qkv` and fills `a.attended`: over packed sequences, or against a cache. `adapters` of each
    /// matrix, and `packed`, the matrices laid out for sampling: in the order of `matrices`. `start`: nil where the
    /// block computes it.
    func forward(
        _ a: BlockActivations,
        _ pass: BlockPass,
        adapters: [[LowRankAdapter]],
        packed: [SamplingMatrix]?,
        start: SharedQKV?,
        into output: Tensor,
        attend: (BlockActivations) -> Void
    ) {
        switch self {
        case .gpt2(let weights):
            gpt2Forward(weights, adapters: adapters, packed: packed, start, a, pass, into: output, attend: attend)
        case .llama(let weights):
            llamaForward(weights, adapters: adapters, packed: packed, start, a, pass, into: output, attend: attend)
        }
    }

    /// Computes what `SharedQKV` holds, in `a`.
    func startAttention(_ a: BlockActivations, epsilon: Float) {
        switch self {
        case .gpt2(let weights): gpt2StartAttention(weights, adapters: [], packed: nil, a, epsilon: epsilon)
        case .llama(let weights): llamaStartAttention(weights, adapters: nil, packed: nil, a, epsilon: epsilon)
        }
    }

    /// Adds to `gradients`, nil where the block is frozen, and to those of its adapters.
    ///
    /// Given the gradient of the read rows after the block, `dOutput` [R, D], which is used up; the one before the
    /// block goes to `dx` [N, D], the same tensor where all rows are read; nil where neither the block nor anything
    /// below it is trained, but for adapters.
    func backward(
        _ gradients: Block?,
        adapters: [[LowRankAdapter]],
        _ a: BlockActivations,
        _ pass: BlockPass,
        sequences: PackedLayout,
        scratch: BlockBackwardScratch,
        dOutput: Tensor,
        dx: Tensor?
    ) {
        precondition(dx != nil || gradients == nil, "a block that is trained hands a gradient down")
        switch self {
        case .gpt2(let weights):
            gpt2Backward(
                weights,
                gradients?.gpt2,
                adapters,
                a,
                sequences: sequences,
                scratch: scratch,
                dOutput: dOutput,
                dx: dx
            )
        case .llama(let weights):
            llamaBackward(
                weights,
                gradients?.llama,
                adapters,
                a,
                pass,
                sequences: sequences,
                scratch: scratch,
                dOutput: dOutput,
                dx: dx
            )
        }
    }

    private var gpt2: GPT2Tensors? { if case .gpt2(let tensors) = self { tensors } else { nil } }
    private var llama: LlamaTensors? { if case .llama(let tensors) = self { tensors } else { nil } }
}

/// What all blocks of a pass share.
struct BlockPass {
    /// Output of a projection onto the residual stream, N × D elements.
    let projection: Tensor
    /// Added to the variance in norms.
    let epsilon: Float
    /// Cosines and sines of the tokens' angles, [N, d/2] each; nil without rotary positions.
    let rotary: (cosines: Tensor, sines: Tensor)?
}

/// Memory of a block's backward pass.
struct BlockBackwardScratch {
    /// N × max(D, H·d) elements.
    let narrow: Tensor
    /// N × max(F, (H + 2K)·d) elements, and no fewer than N × D where outputs are normed.
    let wide: Tensor
    /// As many elements as `narrow` in the product type; empty for fp32, which needs no copy.
    let narrowProduct: Tensor
    /// In the product type: as many elements as `wide`, or 2·N·F where that is more and the block is gated.
    let wideProduct: Tensor
}

/// Puts rows that are read after the block, [R, D], in their places of `whole` [N, D], zero elsewhere; `whole` is the
/// rows themselves where all are read.
func scatterReadRows(_ read: Tensor, of a: BlockActivations, into whole: Tensor) {
    guard let rows = a.rows else { return }
    whole.fill(0)
    scatterAddRows(read, rows, into: whole)
}

/// `x` itself where products are fp32, else its bf16 copy in `scratch`.
func inProductType(_ x: Tensor, _ scratch: Tensor) -> Tensor {
    guard scratch.elementType != x.elementType else { return x }
    let copy = scratch.view(at: 0, shape: x.shape)
    copy.copy(from: x)
    return copy
}
