internal import LanguageModels

/// Keys of low-rank adapters (LoRA, arXiv 2106.09685), for stages with `trainable: lora`.
package struct AdapterKeys: Equatable, Sendable {
    package let rank: Int
    package let alpha: Double
    package let targets: [String]
    package let topLayers: Int?
    package let dropout: Double

    init(_ keys: inout SectionReader, rank standardRank: Int, alpha standardAlpha: Double) {
        rank = keys.read("rank", .integer(.from(1, to: 1 << 16)), standardRank, "Inner width r of an adapter.")
        alpha = keys.read("alpha", .number(.above(0)), standardAlpha, "An adapter's product is scaled by alpha/rank.")
        targets = keys.read(
            "targets",
            .texts,
            [AdapterSettings.allLinear],
            "Adapted layers of the blocks, named as in PEFT's `target_modules`; all-linear: every linear layer."
        )
        topLayers = keys.read(
            "top_layers",
            .optional(.integer(.atLeast(1), unit: "blocks")),
            nil,
            "How many of the last blocks have adapters; null: all."
        )
        dropout = keys.read(
            "dropout",
            .number(.from(0, to: 0.9)),
            0,
            "Probability with which a training step drops an element of an adapter's input."
        )
    }
}
