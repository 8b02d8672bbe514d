import Foundation

/// What the Llama family adds to a model's shape.
package struct LlamaShape: Equatable, Sendable {
    /// The members of the family, by their `model_type`; they differ in what their `config.json` can say.
    package enum Member: String, Sendable, CaseIterable {
        case llama
        case mistral
        case qwen2
        case qwen3
        case olmo2
    }

    /// Which projections of attention have a bias.
    package enum AttentionBias: Sendable {
        case none
        /// Queries, keys and values (Qwen2).
        case inputs
        /// These and the output (`attention_bias`).
        case all
    }

    /// What is normed of queries and keys, bias included, before they are rotated.
    package enum QueryKeyNorm: Sendable {
        /// Each head by itself, with one gain for all heads (Qwen3).
        case heads
        /// All heads of a token together (OLMo 2).
        case tokens
    }

    /// The member.
    package var member: Member
    /// Heads of keys and values (`num_key_value_heads`), a divisor of the heads.
    package var keyValueHeads: Int
    /// Width of a head (`head_dim`), even.
    package var headWidth: Int
    /// Positions.
    package var rotary: RotaryPositions
    /// Biases.
    package var attentionBias: AttentionBias
    /// Tokens that a token sees (`sliding_window`); nil: all before it.
    package var slidingWindow: Int?
    /// Whether the vocabulary product reads the token embedding (`tie_word_embeddings`) or a matrix of its own.
    package var tiesEmbeddings: Bool

    /// The norm of queries and keys, where there is one.
    package var queryKeyNorm: QueryKeyNorm? { member == .qwen3 ? .heads : member == .olmo2 ? .tokens : nil }
    /// Whether attention and feed-forward are normed after them, before their sums with the residual stream (OLMo 2),
    /// not what goes into them.
    package var normsOutputs: Bool { member == .olmo2 }

    /// States what is particular to a model; `headWidth` must be even, and OLMo 2 has no bias.
    package init(
        member: Member = .llama,
        keyValueHeads: Int,
        headWidth: Int,
        rotary: RotaryPositions = RotaryPositions(),
        attentionBias: AttentionBias = .none,
        slidingWindow: Int? = nil,
        tiesEmbeddings: Bool = false
    ) {
        precondition(member != .olmo2 || attentionBias == .none, "OLMo 2 has no bias before a norm")
        self.member = member
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.rotary = rotary
        self.attentionBias = attentionBias
        self.slidingWindow = slidingWindow
        self.tiesEmbeddings = tiesEmbeddings
    }
}

/// Rotary positions: pair i of a head of width d turns by f_i a token, f_i = θ^(−2i/d), possibly scaled.
package struct RotaryPositions: Equatable, Sendable {
    /// How the frequencies are changed for longer contexts.
    package enum Scaling: Equatable, Sendable {
        case none
        /// f/factor.
        case linear(factor: Double)
        /// Waves longer than `originalPositions/lowFrequencyFactor` are slowed down by `factor`, those shorter than
        /// `originalPositions/highFrequencyFactor` are kept, and it goes over smoothly in between (Llama 3.1).
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalPositions: Double)
    }

    /// θ (`rope_theta`).
    package var theta: Double
    /// Scaling (`rope_scaling`).
    package var scaling: Scaling

    /// States θ and the scaling.
    package init(theta: Double = 10_000, scaling: Scaling = .none) {
        self.theta = theta
        self.scaling = scaling
    }

    /// The frequency of each of the d/2 pairs, in radians a token.
    func frequencies(headWidth d: Int) -> [Float] {
        (0..<d / 2).map { i in
            let frequency = pow(theta, -2 * Double(i) / Double(d))
            switch scaling {
            case .none: return Float(frequency)
            case .linear(let factor): return Float(frequency / factor)
            case .llama3(let factor, let low, let high, let positions):
                // Waves of the original context, 1 at its lower and 0 at its upper bound.
                let waves = positions * frequency / (2 * .pi)
                let kept = min(1, max(0, (waves - low) / (high - low)))
                return Float((1 - kept) * frequency / factor + kept * frequency)
            }
        }
    }
}
