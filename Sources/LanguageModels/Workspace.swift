import Tensors

/// Memory that is reused from step to step: grows when a larger tensor is asked for, and never shrinks.
struct Scratch {
    private var storage: Tensor

    init(_ elementType: ElementType = .float32) {
        storage = Tensor(zeros: [0], elementType)
    }

    /// A tensor of this shape over the memory, which may hold anything.
    mutating func tensor(_ shape: [Int]) -> Tensor {
        let needed = shape.reduce(1, *)
        if needed > storage.count {
            // Half as much again, so that slowly growing batches do not allocate every step.
            let size = storage.count == 0 ? needed : max(needed, storage.count + storage.count / 2)
            storage = Tensor(zeros: [size], storage.elementType)
        }
        return storage.view(at: 0, shape: shape)
    }
}

/// What one block computes on N tokens.
///
/// The product type is bf16 or fp32, as the model's precision says.
struct BlockActivations {
    /// The residual stream before the block, [N, D].
    let input: Tensor
    /// The first norm of input, [N, D], product type; and its statistics, [N] (an RMS norm has no mean).
    let attentionInput: Tensor
    let mean1: Tensor
    let rstd1: Tensor
    /// Queries, keys and values: side by side, [N, 3D], with GPT-2; apart with Llama.
    let qkv: AttentionInput
    /// What attention returns, [N, H·d], product type.
    let attended: Tensor
    /// [H, N].
    let logSumExp: Tensor
    /// The residual stream between attention and feed-forward, [N, D].
    let middle: Tensor
    /// The second norm, of middle, [N, D], product type; and its statistics, [N].
    let feedForwardInput: Tensor
    let mean2: Tensor
    let rstd2: Tensor
    /// Before the GELU or SiLU, bias included, [N, F].
    let preActivation: Tensor
    /// What multiplies the SiLU, [N, F]; empty with GPT-2.
    let up: Tensor
    /// After both, [N, F], product type.
    let activation: Tensor
}

/// The memory of one block's activations.
struct BlockScratch {
    private var narrow: [Scratch]
    private var statistics: [Scratch]
    private var qkv = Scratch()
    private var preActivation = Scratch()
    private var up = Scratch()
    private var narrowProducts: [Scratch]
    private var activation: Scratch

    init(_ productType: ElementType) {
        narrow = Array(repeating: Scratch(), count: 2)
        statistics = Array(repeating: Scratch(), count: 5)
        narrowProducts = Array(repeating: Scratch(productType), count: 3)
        activation = Scratch(productType)
    }

    mutating func activations(of tokens: Int, _ configuration: ModelConfiguration) -> BlockActivations {
        let d = configuration.width
        let isLlama = configuration.llama != nil
        return BlockActivations(
            input: narrow[0].tensor([tokens, d]),
            attentionInput: narrowProducts[0].tensor([tokens, d]),
            mean1: statistics[0].tensor([tokens]),
            rstd1: statistics[1].tensor([tokens]),
            qkv: AttentionInput(
                qkv.tensor([tokens, configuration.queryKeyValueWidth]),
                heads: configuration.heads,
                keyValueHeads: configuration.keyValueHeads,
                headWidth: configuration.headWidth,
                layout: isLlama ? .apart : .sideBySide
            ),
            attended: narrowProducts[1].tensor([tokens, configuration.attentionWidth]),
            logSumExp: statistics[4].tensor([configuration.heads, tokens]),
            middle: narrow[1].tensor([tokens, d]),
            feedForwardInput: narrowProducts[2].tensor([tokens, d]),
            mean2: statistics[2].tensor([tokens]),
            rstd2: statistics[3].tensor([tokens]),
            preActivation: preActivation.tensor([tokens, configuration.innerWidth]),
            up: up.tensor([isLlama ? tokens : 0, configuration.innerWidth]),
            activation: activation.tensor([tokens, configuration.innerWidth])
        )
    }
}

/// Everything that a model's passes need besides parameters.
struct Workspace {
    /// One per layer, for recorded passes.
    var recorded: [BlockScratch] = []
    /// Shared by all layers, for passes that nothing follows.
    var passing: BlockScratch
    /// The residual stream after the last block of a recorded pass, [N, D].
    var trunkOutput = Scratch()
    /// Output of a projection onto the residual stream, [N, D].
    var projection = Scratch()
    /// Of rotary positions, [N, d/2].
    var cosines = Scratch()
    var sines = Scratch()

    /// Of adapters; see `LowRankAdapter.Scratch`.
    var lowRank = Scratch()
    var lowRankProduct: Scratch
    var lowRankUpdate = Scratch()

    /// The scored rows: residual stream, final norm and its statistics.
    var rowInput = Scratch()
    var rowMean = Scratch()
    var rowRstd = Scratch()
    var hidden = Scratch()
    var hiddenProduct: Scratch
    var rowScalars = Scratch()
    var rowOutputs: [Scratch] = Array(repeating: Scratch(), count: 3)
    var logits = Scratch()

    /// Gradients on their way down: with respect to the scored rows, the residual stream, and inside a block.
    var dHidden = Scratch()
    var dRowInput = Scratch()
    var dResidual = Scratch()
    var dNarrow = Scratch()
    var dWide = Scratch()
    var narrowProduct: Scratch
    var wideProduct: Scratch
    var dLogits: Scratch

    init(_ productType: ElementType) {
        passing = BlockScratch(productType)
        lowRankProduct = Scratch(productType)
        hiddenProduct = Scratch(productType)
        narrowProduct = Scratch(productType)
        wideProduct = Scratch(productType)
        dLogits = Scratch(productType)
    }
}
