public import Tensors

/// The shape of a model (fields of Hugging Face's `config.json`, here in GPT-2's names, then in Llama's).
///
/// Dropout is not part of it: we never drop (reward models and RLHF policies are customarily trained without).
public struct ModelConfiguration: Equatable, Sendable {
    /// Rows of the token embedding (`vocab_size`).
    public var vocabularySize: Int
    /// The longest sequence that the positions allow (`n_positions`, `max_position_embeddings`).
    public var positions: Int
    /// Width D of the residual stream (`n_embd`, `hidden_size`).
    public var width: Int
    /// How many blocks (`n_layer`, `num_hidden_layers`).
    public var layers: Int
    /// Attention heads per block (`n_head`, `num_attention_heads`); with GPT-2 it divides `width`.
    public var heads: Int
    /// Width of the feed-forward layer, 4·width unless stated (`n_inner`, `intermediate_size`).
    public var innerWidth: Int
    /// Added to the variance in norms (`layer_norm_epsilon`, `rms_norm_eps`).
    public var normEpsilon: Float
    /// The end-of-text token (`eos_token_id`).
    public var endOfText: Int32?
    /// What its blocks are.
    public var family: Family

    /// Two kinds of blocks.
    public enum Family: Equatable, Sendable {
        /// Layer norms, learned positions, GELU; embeddings tied.
        case gpt2
        /// RMS norms, rotary positions, SwiGLU.
        case llama(LlamaShape)
    }

    /// States a shape; `heads` must divide `width`, and every length must be positive.
    public init(
        vocabularySize: Int,
        positions: Int,
        width: Int,
        layers: Int,
        heads: Int,
        innerWidth: Int? = nil,
        normEpsilon: Float = 1e-5,
        endOfText: Int32? = nil,
        family: Family = .gpt2
    ) {
        self.vocabularySize = vocabularySize
        self.positions = positions
        self.width = width
        self.layers = layers
        self.heads = heads
        self.innerWidth = innerWidth ?? 4 * width
        self.normEpsilon = normEpsilon
        self.endOfText = endOfText
        self.family = family
    }

    /// What Llama adds to the shape; nil for GPT-2.
    public var llama: LlamaShape? {
        if case .llama(let shape) = family { shape } else { nil }
    }

    /// The longest sequence: the positions, or the width of a sliding window, beyond which attention would be another.
    public var contextLength: Int { min(positions, llama?.slidingWindow ?? positions) }
    /// Heads of keys and values per block (`num_key_value_heads`).
    public var keyValueHeads: Int { llama?.keyValueHeads ?? heads }
    /// Width of one attention head.
    public var headWidth: Int { llama?.headWidth ?? width / heads }
    /// Width of all heads together.
    public var attentionWidth: Int { heads * headWidth }
    /// Width of queries, keys and values together.
    public var queryKeyValueWidth: Int { (heads + 2 * keyValueHeads) * headWidth }

    /// Elements of a block's matrices: multiply–add operations of a token in a block, attention itself left out.
    public var blockMatrixElements: Int {
        let feedForward = (llama == nil ? 2 : 3) * innerWidth
        return width * (queryKeyValueWidth + attentionWidth + feedForward)
    }

    /// How many parameters a model of this shape has with this head.
    public func parameterCount(head: Head) -> Int {
        Parameters.layout(self, head: head).last.map { $0.offset + $0.count } ?? 0
    }
}

/// What sits on top of the trunk besides the tied language-model head.
public enum Head: Sendable {
    /// Nothing: a language model.
    case none
    /// A scalar per sequence, from the hidden state of its last token; no bias.
    case reward
    /// A scalar per token, with a bias: the critic of PPO.
    case value
}

/// Which parameters are trained.
public enum Trainable: Equatable, Sendable {
    /// All.
    case full
    /// Low-rank adapters of a frozen trunk, and the reward or value head.
    case adapters(AdapterSettings)
    /// Only the reward or value head.
    case head

    /// How many parameters a model of this shape trains.
    public func parameterCount(_ configuration: ModelConfiguration, head: Head) -> Int {
        let entries =
            switch self {
            case .full: Parameters.layout(configuration, head: head)
            case .adapters(let adapters): Parameters.layout(configuration, overFrozenTrunk: adapters, head: head)
            case .head: Parameters.layout(configuration, overFrozenTrunk: nil, head: head)
            }
        return entries.last?.range.upperBound ?? 0
    }
}

/// The type of the operands of products, and of embeddings; sums are fp32.
///
/// Frozen weights are read as their file has them, if that is no wider: what is stored in bf16 or fp16 stays so, and only
/// activations are of this type. What is in training has a copy of this type.
public enum Precision: String, Sendable {
    case float32 = "fp32"
    case bfloat16 = "bf16"

    /// What operands are.
    public var elementType: ElementType { self == .float32 ? .float32 : .bfloat16 }
}
