public import Randomness
public import Tensors

/// Sequences of any lengths laid end to end; no padding.
public struct PackedSequences {
    /// All tokens, N of them.
    public let tokens: [Int32]
    /// Where each sequence starts, and N last: S + 1 numbers.
    public let offsets: [Int32]
    /// Packs sequences; each must have at least one token.
    public init(_ sequences: [[Int32]]) { fatalError() }
    /// How many sequences there are.
    public var count: Int { offsets.count - 1 }
}

/// The shape of a GPT-2-family model (fields of Hugging Face's `config.json`).
public struct ModelConfiguration: Equatable, Sendable {
    public var vocabularySize: Int
    public var positions: Int
    public var width: Int
    public var layers: Int
    public var heads: Int
    /// Width of the feed-forward layer, 4·width unless stated (`n_inner`).
    public var innerWidth: Int
    public var layerNormEpsilon: Float
    public var endOfText: Int32?
    public init(
        vocabularySize: Int, positions: Int, width: Int, layers: Int, heads: Int, innerWidth: Int? = nil,
        layerNormEpsilon: Float = 1e-5, endOfText: Int32? = nil
    ) { fatalError() }
}

/// What sits on top of the trunk besides the tied language-model head.
public enum Head: Sendable { case none, reward, value }

/// Which parameters are trained: all, or only the reward or value head.
public enum Trainable: String, Sendable { case full, head }

/// The type of products.
public enum Precision: String, Sendable { case float32 = "fp32", bfloat16 = "bf16" }

/// Named tensors laid end to end in one flat float32 vector, trunk first, head last; gradients in a second one.
public struct Parameters {
    /// One named tensor of the flat vector.
    public struct Entry: Equatable, Sendable {
        /// Hugging Face name, as `transformer.h.0.attn.c_attn.weight`, `score.weight`.
        public let name: String
        public let shape: [Int]
        public let offset: Int
        /// Whether AdamW's weight decay applies: matrices yes; biases, norms no.
        public let decays: Bool
    }
    public let entries: [Entry]
    /// [P] float32.
    public let values: Tensor
    /// [P] float32; may be replaced by a slice of a larger vector, so that several models' gradients travel together.
    public var gradients: Tensor
}

/// Per-token results on the scored rows of a forward pass.
public struct TokenScores: Sendable {
    /// log π(token i+1 | tokens ≤ i) for each scored row i.
    public var logProbabilities: [Float]
    /// Entropy of the next-token distribution at each scored row.
    public var entropies: [Float]
    /// Value head's output at each scored row; empty without a value head.
    public var values: [Float]
}

/// A GPT-2-family model with explicit gradients. One forward pass is recorded at a time; `backward…` follows its `forward…`.
public final class LanguageModel {
    public let configuration: ModelConfiguration
    public let head: Head
    public let precision: Precision
    public var parameters: Parameters
    public var trainable: Trainable = .full

    /// A model with GPT-2's initialisation (normal 0.02, residual projections scaled by 1/√(2·layers)), head zero for value,
    /// normal 1/√D for reward.
    public init(_ configuration: ModelConfiguration, head: Head, precision: Precision, seed: UInt64) { fatalError() }
    /// A copy of this model's trunk with another head; shares nothing.
    public func copy(head: Head, seed: UInt64) -> LanguageModel { fatalError() }
    /// Must follow every change of `parameters.values`: refreshes the bf16 copies that products read.
    public func parametersDidChange() { fatalError() }
    /// The part of the flat vector that training changes (a suffix).
    public var trainableRange: Range<Int> { fatalError() }

    /// Reward of each sequence: head · hidden state of its last token. Nothing is recorded.
    public func rewards(of sequences: PackedSequences) -> [Float] { fatalError() }
    /// The same, recorded for `backwardRewards`.
    public func forwardRewards(_ sequences: PackedSequences) -> [Float] { fatalError() }
    /// Adds to the gradients, given d loss / d reward of each sequence.
    public func backwardRewards(_ dRewards: [Float]) { fatalError() }

    /// Scores of the next token at the given packed rows (row i predicts token i+1 of its sequence). Nothing is recorded.
    public func tokenScores(of sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores { fatalError() }
    /// The same, recorded for `backwardTokenScores`.
    public func forwardTokenScores(_ sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores { fatalError() }
    /// Adds to the gradients, given d loss / d log-probability and d loss / d value at each scored row.
    public func backwardTokenScores(dLogProbabilities: [Float], dValues: [Float]) { fatalError() }

    /// Samples a response to each prompt, all in one batch with a key–value cache; finished sequences leave the batch.
    /// `streams[i]` gives prompt i's random numbers: one `uniform()` a token.
    public func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample] { fatalError() }
}

/// How to sample.
public struct SamplingOptions: Equatable, Sendable {
    public var maxNewTokens: Int
    /// 0 is greedy.
    public var temperature: Float
    /// 0 keeps all.
    public var topK: Int
    /// 1 keeps all.
    public var topP: Float
    /// Generation ends after this token; nil: never.
    public var stop: Int32?
    public init(maxNewTokens: Int, temperature: Float = 1, topK: Int = 0, topP: Float = 1, stop: Int32?) { fatalError() }
}

/// One sampled response.
public struct Sample: Equatable, Sendable {
    /// Response tokens, the stop token included where it was drawn.
    public var tokens: [Int32]
    /// Natural log-probability of each token under the distribution it was drawn from (after temperature, top-k, top-p).
    public var logProbabilities: [Float]
    /// Whether the stop token was drawn.
    public var finished: Bool
}
