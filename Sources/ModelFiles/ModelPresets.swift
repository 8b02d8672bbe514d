package import LanguageModels

/// Named shapes for randomly initialized models.
package enum ModelPreset {
    /// Every name, in order of size.
    package static var names: [String] { shapes.map(\.name) }

    /// The shape of that name; nil where there is none.
    package static func named(_ name: String) -> ModelConfiguration? {
        shapes.first { $0.name == name }?.configuration
    }

    private static let shapes: [(name: String, configuration: ModelConfiguration)] = [
        ("gpt2-tiny", shape(vocabulary: 1024, positions: 128, width: 64, layers: 2, heads: 2)),
        ("llama-tiny", llama(width: 64, inner: 160, layers: 2, heads: 4, keyValueHeads: 2)),
        ("qwen3-tiny", llama(.qwen3, width: 64, inner: 160, layers: 2, heads: 4, keyValueHeads: 2, headWidth: 24)),
        ("olmo2-tiny", llama(.olmo2, width: 64, inner: 160, layers: 2, heads: 4, keyValueHeads: 2)),
        ("gpt2-mini", shape(vocabulary: 8192, positions: 256, width: 320, layers: 6, heads: 5)),
        ("gpt2", shape(width: 768, layers: 12, heads: 12)),
        (
            "smollm2-135m",
            llama(
                vocabulary: 49_152,
                positions: 8192,
                width: 576,
                inner: 1536,
                layers: 30,
                heads: 9,
                keyValueHeads: 3,
                epsilon: 1e-5,
                rotary: RotaryPositions(theta: 1e5),
                isTied: true
            )
        ),
        ("llama-160m", llama(width: 768, inner: 3072, layers: 12, heads: 12)),
        ("gpt2-medium", shape(width: 1024, layers: 24, heads: 16)),
        (
            "qwen3-0.6b",
            llama(
                .qwen3,
                vocabulary: 151_936,
                endOfText: 151_645,
                positions: 40_960,
                width: 1024,
                inner: 3072,
                layers: 28,
                heads: 16,
                keyValueHeads: 8,
                headWidth: 128,
                rotary: RotaryPositions(theta: 1e6),
                isTied: true
            )
        ),
        ("gpt2-large", shape(width: 1280, layers: 36, heads: 20)),
        ("tinyllama-1.1b", llama(width: 2048, inner: 5632, layers: 22, heads: 32, keyValueHeads: 4, epsilon: 1e-5)),
        (
            "llama-3.2-1b",
            llama(
                vocabulary: 128_256,
                endOfText: 128_001,
                positions: 131_072,
                width: 2048,
                inner: 8192,
                layers: 16,
                heads: 32,
                keyValueHeads: 8,
                epsilon: 1e-5,
                rotary: RotaryPositions(
                    theta: 5e5,
                    scaling: .llama3(
                        factor: 32,
                        lowFrequencyFactor: 1,
                        highFrequencyFactor: 4,
                        originalPositions: 8192
                    )
                ),
                isTied: true
            )
        ),
        (
            "olmo2-1b",
            llama(
                .olmo2,
                vocabulary: 100_352,
                endOfText: 100_257,
                positions: 4096,
                width: 2048,
                inner: 8192,
                layers: 16,
                heads: 16,
                rotary: RotaryPositions(theta: 5e5)
            )
        ),
        ("gpt2-xl", shape(width: 1600, layers: 48, heads: 25)),
        ("tulu2-7b", llama(positions: 8192, width: 4096, inner: 11_008, layers: 32, heads: 32, epsilon: 1e-5)),
    ]

    /// GPT-2's vocabulary and context unless stated; end-of-text is the last token, as in GPT-2.
    private static func shape(
        vocabulary: Int = 50_257,
        positions: Int = 1024,
        width: Int,
        layers: Int,
        heads: Int
    ) -> ModelConfiguration {
        ModelConfiguration(
            vocabularySize: vocabulary,
            positions: positions,
            width: width,
            layers: layers,
            heads: heads,
            endOfText: Int32(vocabulary - 1)
        )
    }

    /// Llama-2's vocabulary of 32,000, whose end-of-text is token 2, and a context of 2,048 unless stated.
    private static func llama(
        _ member: LlamaShape.Member = .llama,
        vocabulary: Int = 32_000,
        endOfText: Int32 = 2,
        positions: Int = 2048,
        width: Int,
        inner: Int,
        layers: Int,
        heads: Int,
        keyValueHeads: Int? = nil,
        headWidth: Int? = nil,
        epsilon: Float = 1e-6,
        rotary: RotaryPositions = RotaryPositions(),
        isTied: Bool = false
    ) -> ModelConfiguration {
        ModelConfiguration(
            vocabularySize: vocabulary,
            positions: positions,
            width: width,
            layers: layers,
            heads: heads,
            innerWidth: inner,
            normEpsilon: epsilon,
            endOfText: endOfText,
            family: .llama(
                LlamaShape(
                    member: member,
                    keyValueHeads: keyValueHeads ?? heads,
                    headWidth: headWidth ?? width / heads,
                    rotary: rotary,
                    tiesEmbeddings: isTied
                )
            )
        )
    }
}
