package import LanguageModels
package import Optimizers
import StrictYAML

/// `sft`: next-token training that makes the reference policy, of a new tokenizer and a new small GPT-2, or of the
/// model that `model.path` names.
package struct SFTSection: Equatable, Sendable {
    /// What is trained of an existing model.
    package enum Trainable: String, CaseIterable, Sendable { case full, lora }

    package var trainable = Trainable.full
    package var lora = AdapterSettings(rank: 16, alpha: 32)
    package var documents = 20_000
    package var vocabularySize = 2_000
    package var layers = 4
    package var width = 128
    package var heads = 4
    package var positions = 128
    package var steps = 600
    package var batchSequences = 32
    package var evaluateEvery: Int?
    package var patience = 3
    package var optimizer = OptimizerSettings(learningRate: 2e-3, schedule: .cosine, warmupSteps: 50, weightDecay: 0.01)

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "trainable",
            &trainable,
            .choice(Trainable.self),
            "What is trained of a model that `model.path` names. full: all parameters; lora: adapters, which are then "
                + "merged into the model."
        )
        keys.section("lora") { lora.read(&$0) }
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
            "Size of the byte-level BPE vocabulary trained on them, of a new model."
        )
        keys.read("layers", &layers, .integer(.from(1, to: 1_000)), "Layers of a new model.")
        keys.read("width", &width, .integer(.from(1, to: 1 << 16)), "Width of a new model.")
        keys.read(
            "heads",
            &heads,
            .integer(.from(1, to: 1_024)),
            "Attention heads of a new model; they must divide the width."
        )
        keys.read(
            "positions",
            &positions,
            .integer(.from(2, to: 1 << 20), unit: "tokens"),
            "Longest sequence of a new model; one that `model.path` names has sequences of `data.max_length`."
        )
        keys.read("steps", &steps, .integer(.atLeast(1), unit: "steps"), "Training steps.")
        keys.read(
            "batch_sequences",
            &batchSequences,
            .integer(.atLeast(1), unit: "sequences"),
            "Sequences a step, over all ranks."
        )
        keys.read(
            "evaluate_every",
            &evaluateEvery,
            .optional(.integer(.atLeast(1), unit: "steps")),
            "The loss on held-out documents, a tenth but at most 256, is measured before the first step and every so "
                + "many steps, and the best weights are kept; null: the last ones, measured at the end."
        )
        keys.read(
            "patience",
            &patience,
            .integer(.atLeast(1), unit: "looks"),
            "Training ends after this many looks at the held-out loss without a new low."
        )
        optimizer.read(&keys)
    }
}
