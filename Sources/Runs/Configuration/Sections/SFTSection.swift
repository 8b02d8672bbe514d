internal import Optimizers

/// `sft`: next-token training of a new tokenizer and a new small GPT-2 on text, which makes the reference policy.
package struct SFTSection: Equatable, Sendable {
    package let documents: Int
    package let vocabularySize: Int
    package let layers: Int
    package let width: Int
    package let heads: Int
    package let positions: Int
    package let steps: Int
    package let batchSequences: Int
    package let optimizer: OptimizerKeys

    init(_ keys: inout SectionReader) {
        documents = keys.read(
            "documents",
            .integer(.atLeast(1), unit: "documents"),
            20_000,
            "Documents of the embedded corpus, or at most so many of `data.text`."
        )
        vocabularySize = keys.read(
            "vocabulary_size",
            .integer(.from(258, to: 1 << 18), unit: "tokens"),
            2_000,
            "Size of the byte-level BPE vocabulary trained on them."
        )
        layers = keys.read("layers", .integer(.from(1, to: 1_000)), 4, "Layers of the model.")
        width = keys.read("width", .integer(.from(1, to: 1 << 16)), 128, "Width of the model.")
        heads = keys.read("heads", .integer(.from(1, to: 1_024)), 4, "Attention heads; they must divide the width.")
        positions = keys.read(
            "positions",
            .integer(.from(2, to: 1 << 20), unit: "tokens"),
            128,
            "Longest sequence of the model."
        )
        steps = keys.read("steps", .integer(.atLeast(1), unit: "steps"), 600, "Training steps.")
        batchSequences = keys.read(
            "batch_sequences",
            .integer(.atLeast(1), unit: "sequences"),
            32,
            "Sequences a step, over all ranks."
        )
        optimizer = OptimizerKeys(
            &keys,
            learningRate: 2e-3,
            schedule: .cosine,
            warmupSteps: 50,
            weightDecay: 0.01
        )
    }
}
