package import Tensors

/// The shape of a model (fields of Hugging Face's `config.json`, here in GPT-2's names, then in Llama's).
///
/// Dropout is not part of it: we never drop (reward models and RLHF policies are customarily trained without).
package struct ModelConfiguration: Equatable, Sendable {
    /// Rows of the token embedding (`vocab_size`).
    package var vocabularySize: Int
    /// The longest sequence that the positions allow (`n_positions`, `max_position_embeddings`).
    package var positions: Int
    /// Width D of the residual stream (`n_embd`, `hidden_size`).
    package var width: Int
    /// How many blocks (`n_layer`, `num_hidden_layers`).
    package var layers: Int
    /// Attention heads per block (`n_head`, `num_attention_heads`); with GPT-2 it divides `width`.
    package var heads: Int
    /// Width of the feed-forward layer, 4·width unless stated (`n_inner`, `intermediate_size`).
    package var innerWidth: Int
    /// Added to the variance in norms (`layer_norm_epsilon`, `rms_norm_eps`).
    package var normEpsilon: Float
    /// The end-of-text token (`eos_token_id`).
    package var endOfText: Int32?
    /// What its blocks are.
    package var family: Family

    /// Two kinds of blocks.
    package enum Family: Equatable, Sendable {
        /// Layer norms, learned positions, GELU; embeddings tied.
        case gpt2
        /// RMS norms, rotary positions, SwiGLU.
        case llama(LlamaShape)
    }

    /// States a shape; `heads` must divide `width`, and every length must be positive.
    package init(
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
    package var llama: LlamaShape? {
        if case .llama(let shape) = family { shape } else { nil }
    }

    /// The longest sequence: the positions, or the width of a sliding window, beyond which attention would be another.
    package var contextLength: Int { min(positions, llama?.slidingWindow ?? positions) }
    /// Heads of keys and values per block (`num_key_value_heads`).
    package var keyValueHeads: Int { llama?.keyValueHeads ?? heads }
    /// Width of one attention head.
    package var headWidth: Int { llama?.headWidth ?? width / heads }
    /// Width of all heads together.
    package var attentionWidth: Int { heads * headWidth }
    /// Width of queries, keys and values together.
    package var queryKeyValueWidth: Int { (heads + 2 * keyValueHeads) * headWidth }

    /// Width of queries and keys where they are normed, else 0.
    var normedQueryKeyWidth: Int {
        llama?.queryKeyNorm == nil ? 0 : (heads + keyValueHeads) * headWidth
    }
    /// Norms of a token's queries and keys.
    var queryKeyNorms: Int {
        switch llama?.queryKeyNorm {
        case nil: 0
        case .heads: heads + keyValueHeads
        case .tokens: 2
        }
    }
    /// Whether attention and feed-forward are normed after them.
    var normsOutputs: Bool { llama?.normsOutputs ?? false }

    /// Elements of a block's matrices: multiply–add operations of a token in a block, attention itself left out.
    package var blockMatrixElements: Int {
        let feedForward = (llama == nil ? 2 : 3) * innerWidth
        return width * (queryKeyValueWidth + attentionWidth + feedForward)
    }

    /// How many parameters a model of this shape has with this head.
    package func parameterCount(head: Head) -> Int {
        Parameters.layout(self, head: head).last.map { $0.offset + $0.count } ?? 0
    }
}

/// What sits on top of the trunk besides the tied language-model head.
package enum Head: Equatable, Sendable {
    /// Nothing: a language model.
    case none
    /// So many scalars per sequence, from the hidden state of its last token; no bias.
    case rewards(Int)
    /// So many scalars per token, each with a bias: the critics of PPO.
    case values(Int)

    /// One scalar per sequence.
    package static let reward = Head.rewards(1)
    /// One scalar per token.
    package static let value = Head.values(1)

    /// How many rewards it gives a sequence.
    package var rewardCount: Int {
        guard case .rewards(let count) = self else { return 0 }
        return count
    }

    /// How many values it gives a token.
    package var valueCount: Int {
        guard case .values(let count) = self else { return 0 }
        return count
    }
}

/// Which parameters are trained.
package enum TrainableParameters: Equatable, Sendable {
    /// All.
    case full
    /// Low-rank adapters of a frozen trunk, and the reward or value head.
    case adapters(AdapterSettings)
    /// Only the reward or value head.
    case head

    /// How many parameters a model of this shape trains.
    package func parameterCount(_ configuration: ModelConfiguration, head: Head) -> Int {
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
/// Frozen weights are read as their file has them, if that is no wider: what is stored in bf16 or fp16 stays so, and
/// only activations are of this type. What is in training has a copy of this type.
package enum Precision: String, Sendable {
    case float32 = "fp32"
    case bfloat16 = "bf16"

    /// What operands are.
    package var elementType: ElementType { self == .float32 ? .float32 : .bfloat16 }
}
