/// `model`: the language model that everything starts from.
package struct ModelSection: Equatable, Sendable {
    /// The type of the operands of products.
    package enum Precision: String, CaseIterable, Sendable { case auto, bf16, fp32 }

    package let path: String?
    package let followSymlinks: Bool
    package let precision: Precision
    package let microBatchTokens: Int
    package let samplingMemory: Int

    init(_ keys: inout SectionReader) {
        path = keys.read(
            "path",
            .optional(.path),
            nil,
            "Hugging Face directory of the reference policy; null: the `sft` stage makes it."
        )
        followSymlinks = keys.read(
            "follow_symlinks",
            .flag,
            false,
            "Whether weights may be symbolic links to files outside their directory, as in a Hub cache."
        )
        precision = keys.read(
            "precision",
            .choice(Precision.self),
            .auto,
            "Type of the operands of products, accumulated in fp32; auto: bf16 where the CPU has instructions for it."
        )
        microBatchTokens = keys.read(
            "micro_batch_tokens",
            .integer(.from(1, to: 1 << 20), unit: "tokens"),
            4096,
            "Tokens of a pass whose activations are kept for its backward pass; a longer sequence goes alone. Fewer take less memory."
        )
        samplingMemory = keys.read(
            "sampling_memory",
            .integer(.atLeast(1), unit: "MiB"),
            4096,
            "Memory of each rank for keys and values; more responses than it has room for are sampled in several batches."
        )
    }
}
