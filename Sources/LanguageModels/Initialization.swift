import Foundation
import Randomness
import Tensors

/// The first values of a tensor, drawn in order.
///
/// Weights and embeddings are drawn from N(0, 0.02²), gains are 1, biases 0. With GPT-2 the two projections onto the
/// residual stream are scaled by 1/√(2·layers) (Radford et al. 2019, section 2.3); with Llama they are not, as in
/// `transformers`. A reward head is drawn from N(0, 1/D²), a value head is 0: the final norm gives hidden states a
/// length of about √D, so rewards start near 0 and a comparison's loss near ln 2. Measured on film reviews: from N(0,
/// 1/D) rewards start with a spread above 1 and held-out accuracy ends 2 to 4 points lower.
package struct InitialValues {
    /// Standard deviation; 0 for a constant.
    private let deviation: Double
    private let constant: Float
    private var random: CounterRandom

    /// Of the tensor that is the `index`-th of its model's layout.
    package init(_ entry: Parameters.Entry, index: Int, _ configuration: ModelConfiguration, seed: UInt64) {
        random = CounterRandom(seed: seed, purpose: .initialization, item: index)
        // Vectors are the gains and biases of norms, or the biases of products.
        var constant: Float = entry.name.hasSuffix(".weight") ? 1 : 0
        switch entry.name {
        case "value.weight", "value.bias":
            deviation = 0
            constant = 0
        case "score.weight":
            deviation = 1 / Double(configuration.width)
        case let name where name.hasSuffix("c_proj.weight"):
            deviation = 0.02 / Double(2 * configuration.layers).squareRoot()
        default:
            deviation = entry.shape.count > 1 ? 0.02 : 0
        }
        self.constant = constant
    }

    /// The next values.
    package mutating func fill(_ elements: inout MutableSpan<Float>) {
        for i in elements.indices {
            elements[i] = deviation > 0 ? Float(deviation * random.normal()) : constant
        }
    }
}

extension Parameters {
    /// Draws the tensors inside `range`.
    func initialize(_ configuration: ModelConfiguration, head: Head, within range: Range<Int>, seed: UInt64) {
        for (index, tensor) in Self.layout(configuration, head: head).enumerated() {
            guard let entry = entry(named: tensor.name), range.contains(entry.offset) else { continue }
            var initial = InitialValues(entry, index: index, configuration, seed: seed)
            values.view(at: entry.offset, shape: entry.shape).withMutableSpan { initial.fill(&$0) }
        }
    }
}
