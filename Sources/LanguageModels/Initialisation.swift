import Randomness
import Tensors

extension Parameters {
    /// Draws the tensors inside `range`: weights and embeddings from N(0, 0.02²), gains 1, biases 0.
    ///
    /// With GPT-2 the two projections onto the residual stream are scaled by 1/√(2·layers) (Radford et al. 2019, section
    /// 2.3); with Llama they are not, as in `transformers`. A reward head is drawn from N(0, 1/D), a value head is 0.
    func initialise(_ configuration: ModelConfiguration, within range: Range<Int>, seed: UInt64) {
        let residualScale = 1 / Double(2 * configuration.layers).squareRoot()
        for (index, entry) in entries.enumerated() where range.contains(entry.offset) {
            let tensor = values.view(at: entry.offset, shape: entry.shape)
            let deviation: Double
            switch entry.name {
            case "value.weight", "value.bias":
                tensor.fill(0)
                continue
            case "score.weight":
                deviation = 1 / Double(configuration.width).squareRoot()
            case let name where name.hasSuffix("c_proj.weight"):
                deviation = 0.02 * residualScale
            default:
                deviation = entry.shape.count > 1 ? 0.02 : 0
            }
            guard deviation > 0 else {
                // Vectors are the gains and biases of norms, or the biases of products.
                tensor.fill(entry.name.hasSuffix(".weight") ? 1 : 0)
                continue
            }
            var random = CounterRandom(seed: seed, purpose: .initialisation, item: index)
            tensor.withMutableSpan { elements in
                for i in elements.indices {
                    elements[i] = Float(deviation * random.normal())
                }
            }
        }
    }
}
