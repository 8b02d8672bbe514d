package import LanguageModels
import Tensors

extension LanguageModel {
    /// Multiplies the distance of the trained weights from the reference's, of which `reference` is a copy.
    ///
    /// Adapters started with B = 0, so what they add is multiplied as B is. A value head stays.
    package func rescale(from reference: LanguageModel, by factor: Float) {
        if adapters != nil {
            for entry in parameters.entries where entry.name.hasSuffix(".lora_B.weight") {
                scale(parameters.values.rows(entry.range), by: factor)
            }
        } else {
            let trunk = 0..<parameters.headRange.lowerBound
            scale(parameters.values.rows(trunk), by: factor)
            addScaled(reference.parameters.values.rows(trunk), scale: 1 - factor, to: parameters.values.rows(trunk))
        }
        parametersDidChange()
    }
}
