import Foundation
import Tensors
import TestSupport
import Testing

private func rmsNorm(_ x: [Double], d: Int, gain: [Double]) -> [Double] {
    stride(from: 0, to: x.count, by: d).flatMap { start in
        let row = x[start..<(start + d)]
        let rstd = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(d) + 1e-5).squareRoot()
        return row.enumerated().map { $1 * rstd * gain[$0] }
    }
}

private func swiglu(gate: [Double], up: [Double]) -> [Double] {
    zip(gate, up).map { g, u in g / (1 + exp(-g)) * u }
}

/// Rotary positions as defined: every pair as a complex number times e^(i·angle).
private func rotated(_ x: [Double], heads: Int, angles: [[Double]]) -> [Double] {
    var y = x
    for (row, angles) in angles.enumerated() {
        let half = angles.count
        for head in 0..<heads {
            let start = (row * heads + head) * 2 * half
            for (i, angle) in angles.enumerated() {
                let (a, b) = (x[start + i], x[start + half + i])
                y[start + i] = a * cos(angle) - b * sin(angle)
                y[start + half + i] = a * sin(angle) + b * cos(angle)
            }
        }
    }
    return y
}

/// The layers that Llama has where GPT-2 has others, against their definitions in float64.
@Suite struct LlamaLayerTests {
    @Test(arguments: [(1, 1), (3, 5), (70, 16), (131, 33), (5, 320)]) func rmsNorms(n: Int, d: Int) {
        let x = sampleTensor([n, d], seed: 1, scale: 3)
        let gain = sampleTensor([d], seed: 2)
        let dy = sampleTensor([n, d], seed: 4)
        let y = Tensor(zeros: [n, d])
        let rstd = Tensor(zeros: [n])
        rmsNormForward(x: x, gain: gain, epsilon: 1e-5, into: y, rstd: rstd)
        let (xs, gains, weights) = (doubles(x.array()), doubles(gain.array()), doubles(dy.array()))
        #expect(maximalDifference(y.array(), floats(rmsNorm(xs, d: d, gain: gains))) < 1e-5)
        let half = Tensor(zeros: [n, d], .bfloat16)
        rmsNormForward(x: x, gain: gain, epsilon: 1e-5, into: half, rstd: rstd)
        #expect(half.array() == y.array().map(roundedToBFloat16))

        let start = samples(n * d, seed: 5)
        let gainStart = samples(d, seed: 6)
        let dx = Tensor(start, shape: [n, d])
        let dgain = Tensor(gainStart, shape: [d])
        rmsNormBackward(dy: dy, x: x, gain: gain, rstd: rstd, dx: dx, gainGradient: dgain)
        let added = zip(dx.array(), start).map { $0 - $1 }
        if n * d > 1 {
            // One row in the middle is enough where rows are many.
            let row = n / 2 * d..<(n / 2 + 1) * d
            let expected = finiteDifference(Array(xs[row]), weights: Array(weights[row])) {
                rmsNorm($0, d: d, gain: gains)
            }
            #expect(relativeError(Array(added[row]), expected) < 1e-4)
        }
        let along = finiteDifference([0], weights: weights) { t in
            rmsNorm(zip(xs, weights).map { $0 + t[0] * $1 }, d: d, gain: gains)
        }
        let sum = zip(doubles(added), weights).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(sum - Double(along[0])) < 2e-4 * max(1, abs(sum)))
        let expectedGain = finiteDifference(gains, weights: weights) { rmsNorm(xs, d: d, gain: $0) }
        #expect(relativeError(zip(dgain.array(), gainStart).map { $0 - $1 }, expectedGain) < 1e-5)

        let alone = Tensor(start, shape: [n, d])
        rmsNormBackward(dy: dy, x: x, gain: gain, rstd: rstd, dx: alone, gainGradient: nil)
        #expect(alone.array() == dx.array())
    }

    @Test(arguments: [(1, 1), (3, 7), (40, 688)]) func swiglus(n: Int, f: Int) {
        let gate = sampleTensor([n, f], seed: 1, scale: 8)
        let up = sampleTensor([n, f], seed: 2, scale: 3)
        let dy = sampleTensor([n, f], seed: 3)
        let y = Tensor(zeros: [n, f])
        swigluForward(gate: gate, up: up, into: y)
        let (gates, ups, weights) = (doubles(gate.array()), doubles(up.array()), doubles(dy.array()))
        #expect(maximalDifference(y.array(), floats(swiglu(gate: gates, up: ups))) < 1e-5)
        let half = Tensor(zeros: [n, f], .bfloat16)
        swigluForward(gate: gate, up: up, into: half)
        #expect(half.array() == y.array().map(roundedToBFloat16))

        let (dGate, dUp) = (Tensor(zeros: [n, f]), Tensor(zeros: [n, f]))
        swigluBackward(gate: gate, up: up, dy: dy, dGate: dGate, dUp: dUp)
        // Every element depends on its own alone: all derivatives at once.
        let step = 1e-5
        let more = swiglu(gate: gates.map { $0 + step }, up: ups)
        let less = swiglu(gate: gates.map { $0 - step }, up: ups)
        let slopes = zip(more, less).map { ($0 - $1) / (2 * step) }
        #expect(relativeError(dGate.array(), floats(zip(slopes, weights).map { $0 * $1 })) < 1e-5)
        let slopesUp = swiglu(gate: gates, up: ups.map { _ in 1 })
        #expect(relativeError(dUp.array(), floats(zip(slopesUp, weights).map { $0 * $1 })) < 1e-5)
        let (halfGate, halfUp) = (Tensor(zeros: [n, f], .bfloat16), Tensor(zeros: [n, f], .bfloat16))
        swigluBackward(gate: gate, up: up, dy: dy, dGate: halfGate, dUp: halfUp)
        #expect(halfGate.array() == dGate.array().map(roundedToBFloat16))
        #expect(halfUp.array() == dUp.array().map(roundedToBFloat16))
    }

    @Test func swigluOfLargeNumbersIsFinite() {
        let gate = Tensor([-1e4, 1e4, -88, 89], shape: [1, 4])
        let ones = Tensor([1, 1, 1, 1], shape: [1, 4])
        let (y, dGate, dUp) = (Tensor(zeros: [1, 4]), Tensor(zeros: [1, 4]), Tensor(zeros: [1, 4]))
        swigluForward(gate: gate, up: ones, into: y)
        swigluBackward(gate: gate, up: ones, dy: ones, dGate: dGate, dUp: dUp)
        #expect(maximalDifference(y.array(), [0, 1e4, 0, 89]) < 1e-5)
        #expect(maximalDifference(dGate.array(), [0, 1, 0, 1]) < 1e-5)
    }

    @Test(arguments: [(1, 1, 1), (5, 3, 4), (9, 2, 21), (40, 4, 64)]) func rotaryPositions(
        n: Int,
        heads: Int,
        half: Int
    ) {
        let positions = (0..<n).map { Int32($0 * 97 % 4096) }
        let frequencies = (0..<half).map { Float(pow(1e4, -Double($0) / Double(half))) }
        let (cosines, sines) = (Tensor(zeros: [n, half]), Tensor(zeros: [n, half]))
        rotaryTable(positions: positions, frequencies: frequencies, cosines: cosines, sines: sines)
        let angles = positions.map { position in frequencies.map { Double(Float(position) * $0) } }
        let x = sampleTensor([n, heads * 2 * half], seed: 1, scale: 2)
        let before = x.array()
        let expected = rotated(doubles(before), heads: heads, angles: angles)
        rotate(x, cosines: cosines, sines: sines)
        #expect(maximalDifference(x.array(), floats(expected)) < 1e-6)
        // Turning back is the transpose, hence the gradient: ⟨R·x, w⟩ = ⟨x, Rᵀ·w⟩.
        let w = sampleTensor(x.shape, seed: 2)
        let product = zip(doubles(x.array()), doubles(w.array())).reduce(0) { $0 + $1.0 * $1.1 }
        rotate(w, cosines: cosines, sines: sines, back: true)
        let transposed = zip(doubles(before), doubles(w.array())).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - transposed) < 1e-4)
        rotate(x, cosines: cosines, sines: sines, back: true)
        #expect(maximalDifference(x.array(), before) < 1e-6)
    }
}
