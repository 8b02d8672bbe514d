import Foundation
import Tensors
import TestSupport
import Testing

/// gelu by its definition with tanh, in float64.
private func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

private func layerNorm(_ x: [Double], d: Int, gain: [Double], bias: [Double]) -> [Double] {
    stride(from: 0, to: x.count, by: d).flatMap { start in
        let row = x[start..<(start + d)]
        let mean = row.reduce(0, +) / Double(d)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(d)
        return row.enumerated().map { ($1 - mean) / (variance + 1e-5).squareRoot() * gain[$0] + bias[$0] }
    }
}

@Suite struct LayerTests {
    @Test(arguments: [(1, 1), (3, 5), (70, 16), (131, 33), (5, 320)]) func layerNormForwardAndBackward(n: Int, d: Int) {
        let x = sampleTensor([n, d], seed: 1, scale: 3)
        let gain = sampleTensor([d], seed: 2)
        let bias = sampleTensor([d], seed: 3)
        let dy = sampleTensor([n, d], seed: 4)
        let y = Tensor(zeros: [n, d])
        let mean = Tensor(zeros: [n])
        let rstd = Tensor(zeros: [n])
        layerNormForward(x: x, gain: gain, bias: bias, epsilon: 1e-5, into: y, mean: mean, rstd: rstd)
        let (xs, gains, biases) = (doubles(x.array()), doubles(gain.array()), doubles(bias.array()))
        #expect(maximalDifference(y.array(), floats(layerNorm(xs, d: d, gain: gains, bias: biases))) < 1e-5)
        let half = Tensor(zeros: [n, d], .bfloat16)
        layerNormForward(x: x, gain: gain, bias: bias, epsilon: 1e-5, into: half, mean: mean, rstd: rstd)
        #expect(half.array() == y.array().map(roundedToBFloat16))

        let start = samples(n * d, seed: 5)
        let dx = Tensor(start, shape: [n, d])
        let dgain = Tensor(samples(d, seed: 6), shape: [d])
        let dbias = Tensor(samples(d, seed: 7), shape: [d])
        layerNormBackward(
            dy: dy,
            x: x,
            gain: gain,
            mean: mean,
            rstd: rstd,
            dx: dx,
            gainGradient: dgain,
            biasGradient: dbias
        )
        let weights = doubles(dy.array())
        if n * d > 1 && n <= 5 && d <= 33 {
            let expected = finiteDifference(xs, weights: weights) { layerNorm($0, d: d, gain: gains, bias: biases) }
            #expect(relativeError(zip(dx.array(), start).map { $0 - $1 }, expected) < 1e-4)
        }
        let sampled = Array(0..<d).filter { d < 40 || $0 % 37 == 0 }
        for column in sampled {
            let xhat = layerNorm(
                xs,
                d: d,
                gain: [Double](repeating: 1, count: d),
                bias: [Double](repeating: 0, count: d)
            )
            let rows = stride(from: column, to: n * d, by: d)
            let gainSum = rows.reduce(Double(samples(d, seed: 6)[column])) { $0 + weights[$1] * xhat[$1] }
            let biasSum = rows.reduce(Double(samples(d, seed: 7)[column])) { $0 + weights[$1] }
            #expect(abs(Double(dgain[column]) - gainSum) < 1e-4 && abs(Double(dbias[column]) - biasSum) < 1e-4)
        }
    }

    /// The directional derivative at a width that uses whole vectors and many rows.
    @Test func layerNormBackwardAlongADirection() {
        let (n, d) = (131, 320)
        let x = sampleTensor([n, d], seed: 1, scale: 3)
        let gain = sampleTensor([d], seed: 2)
        let bias = Tensor(zeros: [d])
        let dy = sampleTensor([n, d], seed: 4)
        let (mean, rstd, y, dx) = (
            Tensor(zeros: [n]), Tensor(zeros: [n]), Tensor(zeros: [n, d]), Tensor(zeros: [n, d])
        )
        layerNormForward(x: x, gain: gain, bias: bias, epsilon: 1e-5, into: y, mean: mean, rstd: rstd)
        layerNormBackward(
            dy: dy,
            x: x,
            gain: gain,
            mean: mean,
            rstd: rstd,
            dx: dx,
            gainGradient: Tensor(zeros: [d]),
            biasGradient: Tensor(zeros: [d])
        )
        let direction = doubles(samples(n * d, seed: 8))
        let along = finiteDifference([0], weights: doubles(dy.array())) { t in
            layerNorm(
                zip(doubles(x.array()), direction).map { $0 + t[0] * $1 },
                d: d,
                gain: doubles(gain.array()),
                bias: doubles(bias.array())
            )
        }
        let sum = zip(doubles(dx.array()), direction).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(sum - Double(along[0])) < 1e-4 * max(1, abs(sum)))
    }

    @Test(arguments: [(1, 1), (3, 5), (131, 33), (70, 64)]) func geluAndItsGradient(n: Int, d: Int) {
        let before = samples(n * d, seed: 1, scale: 6)
        let bias = sampleTensor([d], seed: 2)
        let x = Tensor(before, shape: [n, d])
        let y = Tensor(zeros: [n, d])
        geluForward(x: x, bias: bias, into: y)
        let biased = before.enumerated().map { $1 + bias[$0 % d] }
        #expect(x.array() == biased)
        #expect(maximalDifference(y.array(), biased.map { Float(gelu(Double($0))) }) < 2e-6)

        let again = Tensor(before, shape: [n, d])
        let half = Tensor(zeros: [n, d], .bfloat16)
        geluForward(x: again, bias: bias, into: half)
        #expect(half.array() == y.array().map(roundedToBFloat16))

        let weights = samples(n * d, seed: 3)
        let dy = Tensor(weights, shape: [n, d])
        geluBackward(x: x, dy: dy)
        let expected = zip(biased, weights).map { x, weight in
            Float(Double(weight) * (gelu(Double(x) + 1e-5) - gelu(Double(x) - 1e-5)) / 2e-5)
        }
        #expect(maximalDifference(dy.array(), expected) < 5e-6)

        let fused = Tensor(weights, shape: [n, d])
        let gradient = Tensor(samples(d, seed: 4), shape: [d])
        let gradientApart = Tensor(samples(d, seed: 4), shape: [d])
        let copy = Tensor(zeros: [n, d], .bfloat16)
        geluBackward(x: x, dy: fused, biasGradient: gradient, copy: copy)
        biasBackward(dy: dy, biasGradient: gradientApart)
        #expect(fused.array() == dy.array() && copy.array() == dy.array().map(roundedToBFloat16))
        #expect(gradient.array() == gradientApart.array())
    }

    @Test func geluFarOut() {
        let x = Tensor([-1000, -50, -12, 12, 50, 1000, .infinity], shape: [1, 7])
        let y = Tensor(zeros: [1, 7])
        geluForward(x: x, bias: Tensor(zeros: [7]), into: y)
        let expected: [Float] = [0, 0, 0, 12, 50, 1000, .infinity]
        #expect(zip(y.array(), expected).allSatisfy { $0 == $1 || abs($0 - $1) < 1e-6 })
        let dy = Tensor([1, 1, 1, 1, 1, 1], shape: [1, 6])
        geluBackward(x: x.view(at: 0, shape: [1, 6]), dy: dy)
        #expect(maximalDifference(dy.array(), [0, 0, 0, 1, 1, 1]) < 1e-6)
    }

    @Test(arguments: [(1, 3), (130, 37), (64, 1000)]) func biases(n: Int, d: Int) {
        let x = samples(n * d, seed: 1)
        let bias = samples(d, seed: 2)
        let residual = samples(n * d, seed: 3)
        let sum = Tensor(x, shape: [n, d])
        addBias(Tensor(bias, shape: [d]), to: sum)
        #expect(sum.array() == x.enumerated().map { $1 + bias[$0 % d] })
        let stream = Tensor(residual, shape: [n, d])
        let next = Tensor(zeros: [n, d])
        addResidual(Tensor(x, shape: [n, d]), bias: nil, to: stream, into: next)
        #expect(next.array() == x.indices.map { residual[$0] + x[$0] })
        addResidual(Tensor(x, shape: [n, d]), bias: Tensor(bias, shape: [d]), to: stream, into: stream)
        #expect(stream.array() == x.indices.map { residual[$0] + (x[$0] + bias[$0 % d]) })
        let gradient = Tensor(bias, shape: [d])
        biasBackward(dy: Tensor(x, shape: [n, d]), biasGradient: gradient)
        let expected = (0..<d).map { j in Float((0..<n).reduce(Double(bias[j])) { $0 + Double(x[$1 * d + j]) }) }
        #expect(maximalDifference(gradient.array(), expected) < 1e-5)
    }
}
