import Tensors

/// Memory that is reused from step to step: grows when a larger tensor is asked for, and never shrinks.
struct Scratch {
    private var storage: Tensor

    /// Elements that are held for so many: up to a sixteenth more, so that slowly growing batches do not allocate every
    /// step.
    static func capacity(for count: Int) -> Int {
        guard count > 16 else { return count }
        // Sizes that share their highest four bits.
        let step = 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount - 4)
        return (count + step - 1) / step * step
    }

    init(_ elementType: ElementType = .float32) {
        storage = Tensor(zeros: [0], elementType)
    }

    /// A tensor of this shape over the memory, which may hold anything.
    mutating func tensor(_ shape: [Int]) -> Tensor {
        let needed = shape.reduce(1, *)
        if needed > storage.count {
            let elementType = storage.elementType
            // What is outgrown goes first: both together would be the peak.
            storage = Tensor(zeros: [0], elementType)
            storage = Tensor(zeros: [Self.capacity(for: needed)], elementType)
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
    /// The rows that something reads after the block, R of them; nil where that is all, R = N.
    let rows: [Int32]?
    /// The first norm of input, [N, D], product type; and its statistics, [N] (an RMS norm has no mean).
    let attentionInput: Tensor
    let mean1: Tensor
    let rstd1: Tensor
    /// Queries, keys and values: side by side, [N, 3D], with GPT-2; apart with Llama.
    let qkv: AttentionInput
    /// Queries and keys before their norm, apart, [N, H·d] and [N, K·d], and its statistics; empty without one.
    let plainQueries: Tensor
    let plainKeys: Tensor
    let rstdQueries: Tensor
    let rstdKeys: Tensor
    /// What attention returns, [R, H·d], product type.
    let attended: Tensor
    /// [H, R].
    let logSumExp: Tensor
    /// The residual stream between attention and feed-forward, [R, D].
    let middle: Tensor
    /// The second norm, of middle, [R, D], product type; and its statistics, [R].
    let feedForwardInput: Tensor
    let mean2: Tensor
    let rstd2: Tensor
    /// Before the GELU or SiLU, bias included, [R, F].
    let preActivation: Tensor
    /// What multiplies the SiLU, [R, F]; empty with GPT-2.
    let up: Tensor
    /// After both, [R, F], product type.
    let activation: Tensor
    /// What attention and feed-forward give before their norm, [R, D]; empty where it is their inputs that are normed.
    let attentionOutput: Tensor
    let feedForwardOutput: Tensor

    /// Causal attention of packed sequences, of the rows that are read.
    func attend(_ sequences: PackedLayout) {
        attentionForward(qkv, sequences, queries: rows, into: attended, logSumExp: logSumExp)
    }

    /// The read rows of the residual stream before the block.
    func readResidual() -> Tensor {
        guard let rows else { return input }
        gatherRows(input, rows, into: middle)
        return middle
    }
}

/// The memory of one block's activations.
struct BlockScratch {
    private var narrow: [Scratch]
    private var statistics: [Scratch]
    private var qkv = Scratch()
    private var plainQueries = Scratch()
    private var plainKeys = Scratch()
    private var preActivation = Scratch()
    private var up = Scratch()
    private var narrowProducts: [Scratch]
    private var activation: Scratch

    init(_ productType: ElementType) {
        narrow = Array(repeating: Scratch(), count: 4)
        statistics = Array(repeating: Scratch(), count: 7)
        narrowProducts = Array(repeating: Scratch(productType), count: 6)
        activation = Scratch(productType)
    }

    /// Of a pass over `tokens` tokens of which `rows` are read after the block; the input is in memory of its own where
    /// given.
    mutating func activations(
        of tokens: Int,
        rows: [Int32]?,
        input: Tensor? = nil,
        _ configuration: ModelConfiguration
    ) -> BlockActivations {
        let d = configuration.width
        let isLlama = configuration.llama != nil
        let read = rows?.count ?? tokens
        let normedKeys =
            configuration.normedQueryKeyWidth == 0 ? 0 : configuration.keyValueHeads * configuration.headWidth
        let outputs = configuration.normsOutputs ? read : 0
        let keyNorms =
            configuration.llama?.queryKeyNorm == .heads
            ? configuration.keyValueHeads : configuration.queryKeyNorms / 2
        return BlockActivations(
            input: input ?? narrow[0].tensor([tokens, d]),
            rows: rows,
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
            plainQueries: plainQueries.tensor([tokens, configuration.normedQueryKeyWidth - normedKeys]),
            plainKeys: plainKeys.tensor([tokens, normedKeys]),
            rstdQueries: statistics[5].tensor([tokens * (configuration.queryKeyNorms - keyNorms)]),
            rstdKeys: statistics[6].tensor([tokens * keyNorms]),
            attended: narrowProducts[1].tensor([read, configuration.attentionWidth]),
            logSumExp: statistics[4].tensor([configuration.heads, read]),
            middle: narrow[1].tensor([read, d]),
            feedForwardInput: narrowProducts[2].tensor([read, d]),
            mean2: statistics[2].tensor([read]),
            rstd2: statistics[3].tensor([read]),
            preActivation: preActivation.tensor([read, configuration.innerWidth]),
            up: up.tensor([isLlama ? read : 0, configuration.innerWidth]),
            activation: activation.tensor([read, configuration.innerWidth]),
            attentionOutput: narrow[2].tensor([outputs, d]),
            feedForwardOutput: narrow[3].tensor([outputs, d])
        )
    }
}

/// Everything that a model's passes need besides parameters; copies of a model, and models over one frozen trunk, share
/// it.
final class Workspace {
    /// The pass that a backward pass may follow.
    var recording: Recording?
    /// Of sampling.
    var cache: KeyValueCache

    private let productType: ElementType
    /// One per layer, for recorded passes.
    private var recorded: [BlockScratch] = []
    /// One per layer, for recorded passes that keep a block's input alone.
    private var checkpoints: [Scratch] = []
    /// Shared by all layers, for passes that nothing follows.
    var inference: BlockScratch
    /// The residual stream after the last block, its read rows, [R, D].
    var output = Scratch()
    /// The residual stream at the trunk's end, [N, D], in the product type.
    var trunkStates: Scratch
    /// Of models over one trunk; see `SharedQKV`.
    var startInput: Scratch
    var startProducts = Scratch()
    /// The residual stream of each prompt's last token, [S, D].
    var prompts = Scratch()
    /// Output of a projection onto the residual stream, [N, D].
    var projection = Scratch()
    /// Of rotary positions, [N, d/2].
    var cosines = Scratch()
    var sines = Scratch()

    /// Of adapters; see `LowRankAdapter.Scratch`.
    var lowRank = Scratch()
    var lowRankProduct: Scratch
    var lowRankUpdate = Scratch()
    var lowRankDropped: Scratch

    /// The read rows: final norm and its statistics.
    var rowMean = Scratch()
    var rowRstd = Scratch()
    var hidden = Scratch()
    var hiddenProduct: Scratch
    var rowScalars = Scratch()
    var rowOutputs: [Scratch] = Array(repeating: Scratch(), count: 6)
    var logits = Scratch()
    /// Of a model that is compared with another one: its read rows in the product type, and its logits.
    var comparedHidden: Scratch
    var comparedLogits = Scratch()

    /// Gradients on their way down: with respect to the read rows, the residual stream, and inside a block.
    var dHidden = Scratch()
    var dRowInput = Scratch()
    var dResidual = Scratch()
    var dNarrow = Scratch()
    var dWide = Scratch()
    var narrowProduct: Scratch
    var wideProduct: Scratch
    var dLogits: Scratch

    init(_ productType: ElementType) {
        self.productType = productType
        cache = KeyValueCache(productType)
        inference = BlockScratch(productType)
        trunkStates = Scratch(productType)
        startInput = Scratch(productType)
        lowRankProduct = Scratch(productType)
        lowRankDropped = Scratch(productType)
        hiddenProduct = Scratch(productType)
        comparedHidden = Scratch(productType)
        narrowProduct = Scratch(productType)
        wideProduct = Scratch(productType)
        dLogits = Scratch(productType)
    }

    /// The activations of a block of a recorded pass.
    func recordedActivations(
        layer: Int,
        of tokens: Int,
        rows: [Int32]?,
        _ configuration: ModelConfiguration
    ) -> BlockActivations {
        while recorded.count <= layer { recorded.append(BlockScratch(productType)) }
        return recorded[layer].activations(of: tokens, rows: rows, configuration)
    }

    /// The input of a block of a recorded pass that keeps no more of it, [N, D].
    func checkpoint(layer: Int, _ shape: [Int]) -> Tensor {
        while checkpoints.count <= layer { checkpoints.append(Scratch()) }
        return checkpoints[layer].tensor(shape)
    }
}
