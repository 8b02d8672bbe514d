/// The shape of a GPT-2-family model (fields of Hugging Face's `config.json`).
///
/// Dropout is not part of it: we never drop (reward models and RLHF policies are customarily trained without).
public struct ModelConfiguration: Equatable, Sendable {
    /// Rows of the token embedding (`vocab_size`).
    public var vocabularySize: Int
    /// Rows of the position embedding, the longest sequence (`n_positions`).
    public var positions: Int
    /// Width D of the residual stream (`n_embd`).
    public var width: Int
    /// How many blocks (`n_layer`).
    public var layers: Int
    /// Attention heads per block (`n_head`); divides `width`.
    public var heads: Int
    /// Width of the feed-forward layer, 4·width unless stated (`n_inner`).
    public var innerWidth: Int
    /// Added to the variance in layer norms (`layer_norm_epsilon`).
    public var layerNormEpsilon: Float
    /// The end-of-text token (`eos_token_id`).
    public var endOfText: Int32?

    /// States a shape; `heads` must divide `width`, and every length must be positive.
    public init(
        vocabularySize: Int,
        positions: Int,
        width: Int,
        layers: Int,
        heads: Int,
        innerWidth: Int? = nil,
        layerNormEpsilon: Float = 1e-5,
        endOfText: Int32? = nil
    ) {
        self.vocabularySize = vocabularySize
        self.positions = positions
        self.width = width
        self.layers = layers
        self.heads = heads
        self.innerWidth = innerWidth ?? 4 * width
        self.layerNormEpsilon = layerNormEpsilon
        self.endOfText = endOfText
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

/// Which parameters are trained: all, or only the reward or value head.
public enum Trainable: String, Sendable {
    case full
    case head
}

/// The type of products.
public enum Precision: String, Sendable {
    case float32 = "fp32"
    /// bf16 operands, fp32 accumulation.
    case bfloat16 = "bf16"
}
