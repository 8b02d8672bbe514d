/// `model`: the language model that everything starts from.
package struct ModelSection: Equatable, Sendable {
    /// The type of matrix products.
    package enum Precision: String, CaseIterable, Sendable { case auto, bf16, fp32 }

    package let path: String?
    package let precision: Precision

    init(_ keys: inout SectionReader) {
        path = keys.read(
            "path",
            .optional(.path),
            nil,
            "Hugging Face directory of the reference policy; null: the `sft` stage makes it."
        )
        precision = keys.read(
            "precision",
            .choice(Precision.self),
            .auto,
            "Type of matrix products, accumulated in fp32; auto: bf16 where the CPU has instructions for it."
        )
    }
}
