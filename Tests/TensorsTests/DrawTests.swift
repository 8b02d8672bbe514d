import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct DrawTests {
    /// Probabilities 0.4, 0.1, 0.3, 0.05, 0.15.
    let logits: [Float] = [0.4, 0.1, 0.3, 0.05, 0.15].map { Foundation.log($0) }

    @Test func drawsInvertTheCumulativeSum() {
        let rows = Tensor((0..<1000).flatMap { _ in logits }, shape: [1000, 5])
        let uniforms = (0..<1000).map { (Double($0) + 0.5) / 1000 }
        let (tokens, logProbabilities) = sampleTokens(logits: rows, temperature: 1, uniforms: uniforms)
        #expect(tokens == tokens.sorted())
        #expect((0..<5).map { token in tokens.count { $0 == token } } == [400, 100, 300, 50, 150])
        for (token, logProbability) in zip(tokens, logProbabilities) {
            #expect(abs(logProbability - logits[Int(token)]) < 1e-6)
        }
    }

    /// Against the definition in float64, in rows of many stretches; a logit of −∞ is never drawn, wherever the number
    /// falls.
    @Test(arguments: [1, 15, 16, 17, 4096, 4099, 50_257]) func isTheDefinition(v: Int) {
        let count = 9
        var values = samples(count * v, seed: 1, scale: 8)
        for i in values.indices where i % 3 == 1 && v > 1 { values[i] = -.infinity }
        let uniforms = [0, 1e-9, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999, 0.999_999_999_999]
        let (tokens, logProbabilities) = sampleTokens(
            logits: Tensor(values, shape: [count, v]),
            temperature: 0.7,
            uniforms: uniforms
        )
        for row in 0..<count {
            let weights = values[row * v..<(row + 1) * v].map { exp(Double($0) / 0.7) }
            let total = weights.reduce(0, +)
            let token = Int(tokens[row])
            let below = weights[..<token].reduce(0, +) / total
            #expect(below <= uniforms[row] + 1e-6 && uniforms[row] <= below + weights[token] / total + 1e-6)
            #expect(weights[token] > 0)
            #expect(abs(Double(logProbabilities[row]) - log(weights[token] / total)) < 1e-5)
        }
    }

    @Test func temperatureZeroTakesTheFirstOfTheMostProbable() {
        let rows = Tensor([1, 3, 2, 3, -1, -2, -1, -5], shape: [2, 4])
        let (tokens, logProbabilities) = sampleTokens(logits: rows, temperature: 0, uniforms: [])
        #expect(tokens == [1, 0])
        #expect(logProbabilities == [0, 0])
    }
}
