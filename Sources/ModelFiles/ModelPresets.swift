public import LanguageModels

/// Named shapes for randomly initialised models.
public enum ModelPreset {
    /// Every name, in order of size.
    public static var names: [String] { shapes.map(\.name) }

    /// The shape of that name; nil where there is none.
    public static func named(_ name: String) -> ModelConfiguration? {
        shapes.first { $0.name == name }?.configuration
    }

    private static let shapes: [(name: String, configuration: ModelConfiguration)] = [
        ("gpt2-tiny", shape(vocabulary: 1024, positions: 128, width: 64, layers: 2, heads: 2)),
        ("gpt2-mini", shape(vocabulary: 8192, positions: 256, width: 320, layers: 6, heads: 5)),
        ("gpt2", shape(width: 768, layers: 12, heads: 12)),
        ("gpt2-medium", shape(width: 1024, layers: 24, heads: 16)),
        ("gpt2-large", shape(width: 1280, layers: 36, heads: 20)),
        ("gpt2-xl", shape(width: 1600, layers: 48, heads: 25)),
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
}
