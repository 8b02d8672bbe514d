import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct LogProbabilityTests {
    @Test(arguments: [(1, 1), (3, 7), (5, 16), (9, 33), (2, 50_257)], [Float(1), 0.7])
    func againstTheDefinition(shape: (Int, Int), temperature: Float) {
        let (n, v) = shape
        let logits = sampleTensor([n, v], seed: 1, scale: 12)
        let before = logits.array()
        let targets = (0..<n).map { Int32(($0 * 7919 + v - 1) % v) }
        let (logp, entropy, normalizer) = (Tensor(zeros: [n]), Tensor(zeros: [n]), Tensor(zeros: [n]))
        logProbabilitiesForward(
            logits: logits,
            targets: targets,
            temperature: temperature,
            logProbability: logp,
            entropy: entropy,
            logNormalizer: normalizer
        )
        #expect(logits.array() == before)
        let dlogp = sampleTensor([n], seed: 2)
        let dlogits = Tensor(zeros: [n, v])
        let half = Tensor(zeros: [n, v], .bfloat16)
        for result in [dlogits, half, logits] {
            logProbabilitiesBackward(
                logits: logits,
                targets: targets,
                temperature: temperature,
                logNormalizer: normalizer,
                dlogp: dlogp,
                into: result
            )
        }
        #expect(logits.array() == dlogits.array() && half.array() == dlogits.array().map(roundedToBFloat16))
        var expected = [Float]()
        for r in 0..<n {
            let z = before[(r * v)..<((r + 1) * v)].map { Double($0) / Double(temperature) }
            let target = Int(targets[r])
            let most = z.max() ?? 0
            let logSum = most + log(z.reduce(0) { $0 + exp($1 - most) })
            let p = z.map { exp($0 - logSum) }
            #expect(abs(Double(logp[r]) - (z[target] - logSum)) < 1e-5)
            #expect(abs(Double(normalizer[r]) - logSum) < 1e-5)
            #expect(abs(Double(entropy[r]) + zip(p, z).reduce(0) { $0 + $1.0 * ($1.1 - logSum) }) < 2e-5)
            expected += p.indices.map {
                Float(Double(dlogp[r]) * (($0 == target ? 1 : 0) - p[$0]) / Double(temperature))
            }
        }
        #expect(maximalDifference(dlogits.array(), expected) < 2e-6)
    }

    @Test(arguments: [(1, 1), (3, 7), (5, 16), (9, 33), (2, 50_257)], [Float(1), 0.7])
    func divergenceAgainstTheDefinition(shape: (Int, Int), temperature: Float) {
        let (n, v) = shape
        let pair = [3, 4].map { sampleTensor([n, v], seed: $0, scale: 6) }
        let scratch = (0..<2).map { _ in Tensor(zeros: [n]) }
        let normalizers = pair.map { logits in
            let normalizer = Tensor(zeros: [n])
            logProbabilitiesForward(
                logits: logits,
                targets: Array(repeating: 0, count: n),
                temperature: temperature,
                logProbability: scratch[0],
                entropy: scratch[1],
                logNormalizer: normalizer
            )
            return normalizer
        }
        func computed(_ a: Int, _ b: Int) -> [Float] {
            let result = Tensor(zeros: [n])
            divergence(
                logits: pair[a],
                logNormalizer: normalizers[a],
                from: pair[b],
                logNormalizer: normalizers[b],
                temperature: temperature,
                into: result
            )
            return result.array()
        }
        let expected = (0..<n).map { r -> Float in
            let logs = pair.map { logits in
                let z = logits.array()[(r * v)..<((r + 1) * v)].map { Double($0) / Double(temperature) }
                let most = z.max() ?? 0
                let logSum = most + log(z.reduce(0) { $0 + exp($1 - most) })
                return z.map { $0 - logSum }
            }
            return Float(zip(logs[0], logs[1]).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) })
        }
        #expect(maximalDifference(computed(0, 1), expected) < 5e-5)
        #expect(computed(1, 1) == Array(repeating: 0, count: n))
    }

    /// A token that is forbidden on both sides counts nothing, one that the other side forbids a lot.
    @Test func divergenceOfForbiddenTokensIsFinite() {
        let (a, b) = (
            Tensor([0, -.infinity, 0], shape: [1, 3]), Tensor([0, -.infinity, -.infinity], shape: [1, 3])
        )
        let result = Tensor(zeros: [1])
        let (two, one) = (Tensor([Float(log(2.0))], shape: [1]), Tensor([Float(0)], shape: [1]))
        divergence(logits: a, logNormalizer: two, from: b, logNormalizer: one, temperature: 1, into: result)
        #expect(abs(result[0] - (100 - Float(log(2.0)))) < 1e-3)
        divergence(logits: a, logNormalizer: two, from: a, logNormalizer: two, temperature: 1, into: result)
        #expect(result[0] == 0)
    }

    @Test func forbiddenTokensHaveNoWeight() {
        let logits = Tensor([1, -.infinity, 1, -.infinity], shape: [1, 4])
        let (logp, entropy, normalizer) = (Tensor(zeros: [1]), Tensor(zeros: [1]), Tensor(zeros: [1]))
        logProbabilitiesForward(
            logits: logits,
            targets: [2],
            temperature: 1,
            logProbability: logp,
            entropy: entropy,
            logNormalizer: normalizer
        )
        #expect(abs(logp[0] + log(2)) < 1e-6 && abs(entropy[0] - log(2)) < 1e-6)
    }

    @Test func extremeLogits() {
        let logits = Tensor([3e4, -3e4, 0, 80, 90, 100], shape: [2, 3])
        let (logp, entropy, normalizer) = (Tensor(zeros: [2]), Tensor(zeros: [2]), Tensor(zeros: [2]))
        logProbabilitiesForward(
            logits: logits,
            targets: [0, 2],
            temperature: 1,
            logProbability: logp,
            entropy: entropy,
            logNormalizer: normalizer
        )
        #expect(logp[0] == 0 && entropy[0] == 0 && abs(logp[1] + 4.54e-5) < 1e-6)
    }
}
