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
        ("gpt2-mini", shape(vocabulary: 8192, positions: 256, width: 320, layers: 6, heads: 5)),
        ("gpt2", shape(width: 768, layers: 12, heads: 12)),
        ("llama-160m", llama(width: 768, inner: 3072, layers: 12, heads: 12)),
        ("gpt2-medium", shape(width: 1024, layers: 24, heads: 16)),
        ("gpt2-large", shape(width: 1280, layers: 36, heads: 20)),
        ("tinyllama-1.1b", llama(width: 2048, inner: 5632, layers: 22, heads: 32, keyValueHeads: 4, epsilon: 1e-5)),
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

    /// Llama-2's vocabulary of 32,000, whose end-of-text is token 2; a context of 2,048 unless stated.
    private static func llama(
        positions: Int = 2048,
        width: Int,
        inner: Int,
        layers: Int,
        heads: Int,
        keyValueHeads: Int? = nil,
        epsilon: Float = 1e-6
    ) -> ModelConfiguration {
        ModelConfiguration(
            vocabularySize: 32_000,
            positions: positions,
            width: width,
            layers: layers,
            heads: heads,
            innerWidth: inner,
            normEpsilon: epsilon,
            endOfText: 2,
            family: .llama(LlamaShape(keyValueHeads: keyValueHeads ?? heads, headWidth: width / heads))
        )
    }
}
