package import LanguageModels
import StrictYAML
import Tensors

/// `model`: the language model that everything starts from.
package struct ModelSection: Equatable, Sendable {
    /// The type of the operands of products.
    package enum Precision: String, CaseIterable, Sendable { case auto, bf16, fp32 }

    package var path: String?
    package var followSymlinks = false
    package var precision: Precision = .auto
    package var microBatchTokens = 4096
    package var samplingMemory: Int?

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "path",
            &path,
            .optional(.path),
            "Hugging Face directory of the reference policy, or, where `run.stages` has `sft`, of the model that this "
                + "stage makes it of; null: `sft` makes it from scratch."
        )
        keys.read(
            "follow_symlinks",
            &followSymlinks,
            .flag,
            "Whether weights may be symbolic links to files outside their directory, as in a Hub cache."
        )
        keys.read(
            "precision",
            &precision,
            .choice(Precision.self),
            "Type of the operands of products, accumulated in fp32; auto: bf16 where the CPU has instructions for it."
        )
        keys.read(
            "micro_batch_tokens",
            &microBatchTokens,
            .integer(.from(1, to: 1 << 20), unit: "tokens"),
            "Tokens of a pass whose activations are kept for its backward pass; a longer sequence goes alone. Fewer "
                + "take less memory."
        )
        keys.read(
            "sampling_memory",
            &samplingMemory,
            .orAuto(.integer(.atLeast(1), unit: "MiB")),
            "Memory of each rank for keys and values; responses that it has no room for begin as others end. auto: "
                + "half of what the memory plan leaves of a node, shared by its ranks."
        )
    }
}

extension ModelSection.Precision {
    /// The type of operands on this machine.
    package var resolved: Precision {
        switch self {
        case .bf16: .bfloat16
        case .fp32: .float32
        case .auto: CPUClass.multipliesBFloat16 ? .bfloat16 : .float32
        }
    }
}
