package import Optimizers
import StrictYAML

/// `sft`: next-token training of a new tokenizer and a new small GPT-2 on text, which makes the reference policy.
package struct SFTSection: Equatable, Sendable {
    package var documents = 20_000
    package var vocabularySize = 2_000
    package var layers = 4
    package var width = 128
    package var heads = 4
    package var positions = 128
    package var steps = 600
    package var batchSequences = 32
    package var optimizer = OptimizerSettings(learningRate: 2e-3, schedule: .cosine, warmupSteps: 50, weightDecay: 0.01)

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "documents",
            &documents,
            .integer(.atLeast(1), unit: "documents"),
            "Documents of the embedded corpus, or at most so many of `data.text`."
        )
        keys.read(
            "vocabulary_size",
            &vocabularySize,
            .integer(.from(258, to: 1 << 18), unit: "tokens"),
            "Size of the byte-level BPE vocabulary trained on them."
        )
        keys.read("layers", &layers, .integer(.from(1, to: 1_000)), "Layers of the model.")
        keys.read("width", &width, .integer(.from(1, to: 1 << 16)), "Width of the model.")
        keys.read("heads", &heads, .integer(.from(1, to: 1_024)), "Attention heads; they must divide the width.")
        keys.read(
            "positions",
            &positions,
            .integer(.from(2, to: 1 << 20), unit: "tokens"),
            "Longest sequence of the model."
        )
        keys.read("steps", &steps, .integer(.atLeast(1), unit: "steps"), "Training steps.")
        keys.read(
            "batch_sequences",
            &batchSequences,
            .integer(.atLeast(1), unit: "sequences"),
            "Sequences a step, over all ranks."
        )
        optimizer.read(&keys)
    }
}
