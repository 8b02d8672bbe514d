package import Failures
import Text

extension Taste {
    /// The taste with each component of a mix on the scale of samples; other tastes as they are.
    ///
    /// The mean is over all responses, the deviation within prompts: of a pair of responses to one prompt,
    /// `σ² = mean(Δ²)/2`.
    ///
    /// - Parameter location: the key of the components, for the message.
    /// - Throws: `Failure(.badData)` where a component is the same for both responses of every pair, or too large.
    package func standardized(over pairs: [ResponsePair], at location: String) throws(Failure) -> Taste {
        guard case .mix(let components) = self else { return self }
        var scaled: [Component] = []
        for (index, component) in components.enumerated() {
            let utilities = pairs.map { pair in
                (component.taste.utility(of: pair.first, in: pair), component.taste.utility(of: pair.second, in: pair))
            }
            let mean = utilities.reduce(0) { $0 + ($1.0 + $1.1) / 2 } / Double(max(1, pairs.count))
            let squares = utilities.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let deviation = (squares / Double(max(1, 2 * pairs.count))).squareRoot()
            guard mean.isFinite, deviation.isFinite, deviation > 1e-12 * max(1, mean.magnitude) else {
                throw Failure(
                    .badData,
                    "has no finite deviation above 0 over \(pairs.count) pairs of responses; leave it out or choose "
                        + "another taste",
                    at: "\(location)[\(index)]"
                )
            }
            scaled.append(Component(component.taste, weight: component.weight, mean: mean, deviation: deviation))
        }
        return .mix(scaled)
    }

    /// The utility of one response of a pair.
    func utility(of response: SampledResponse, in pair: ResponsePair) -> Double {
        utility(prompt: pair.prompt.text, response: response.text, tokens: response.tokens)
    }

    /// F(first) − F(second).
    func difference(_ pair: ResponsePair) -> Double {
        utility(of: pair.first, in: pair) - utility(of: pair.second, in: pair)
    }
}

/// The correlations of tastes within prompts: ρ_ij = Σ Δ_i·Δ_j / √(Σ Δ_i² · Σ Δ_j²) over pairs of responses to one
/// prompt.
///
/// A taste that never tells two responses apart has 0 with all, itself included.
package func tasteCorrelations(_ tastes: [Taste], over pairs: [ResponsePair]) -> [[Double]] {
    let differences = tastes.map { taste in pairs.map(taste.difference) }
    func product(_ i: Int, _ j: Int) -> Double { zip(differences[i], differences[j]).reduce(0) { $0 + $1.0 * $1.1 } }
    let lengths = tastes.indices.map { product($0, $0).squareRoot() }
    return tastes.indices.map { i in
        tastes.indices.map { j in
            guard lengths[i] > 0, lengths[j] > 0 else { return 0 }
            return i == j ? 1 : min(1, max(-1, product(i, j) / (lengths[i] * lengths[j])))
        }
    }
}
