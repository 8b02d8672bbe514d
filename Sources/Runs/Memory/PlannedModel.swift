import Failures
import LanguageModels
import ModelFiles
import Tensors

/// A model directory as far as planning knows it before it is read.
struct PlannedModel {
    let shape: ModelConfiguration
    /// The type of its weights.
    let stored: StoredType
    /// That of the model which the stage `sft` begins with.
    let base: StoredType
    let precision: Precision

    /// The reference policy of a run: the one that the configuration names, or that `sft` makes.
    init(referenceOf configuration: Configuration) throws(Failure) {
        precision = configuration.model.precision.resolved
        if let path = configuration.model.path {
            shape = try ModelDirectory.configuration(path)
            base = try ModelDirectory.storedType(path, followSymlinks: configuration.model.followSymlinks)
            // Trained in full it is written as fp32, and merged as it was, but fp16 as fp32.
            let isTrained = configuration.run.stages.contains(.sft)
            stored = isTrained && (configuration.sft.trainable == .full || base != .bfloat16) ? .float32 : base
        } else {
            let sft = configuration.sft
            shape = ModelConfiguration(
                vocabularySize: sft.vocabularySize,
                positions: sft.positions,
                width: sft.width,
                layers: sft.layers,
                heads: sft.heads
            )
            (stored, base) = (.float32, .float32)
        }
    }

    /// Bytes of so many parameters of a model's own: fp32, and a copy as operands of bf16 products.
    func own(_ parameters: Int) -> Int { parameters * (precision == .bfloat16 ? 6 : 4) }

    /// Bytes of an element laid out for sampling.
    ///
    /// Weights are laid out as a file has them, but fp16 as fp32, and fp32 in the product type.
    var panelElementSize: Int {
        switch stored {
        case .bfloat16: 2
        case .float16: 4
        default: precision.elementType.size
        }
    }

    /// Bytes of the model opened in place.
    var opened: FrozenBytes { FrozenBytes(shape, head: .none, stored: stored, precision: precision) }

    /// Bytes of a model that the run wrote, opened in place.
    func openedOwn(head: Head) -> FrozenBytes {
        FrozenBytes(shape, head: head, stored: .float32, precision: precision)
    }
}
