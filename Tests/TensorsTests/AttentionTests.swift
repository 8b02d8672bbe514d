import Foundation
import Tensors
import TestSupport
import Testing

/// Causal attention as defined, in float64.
///
/// qkv: [n, 3·heads·d] → [n, heads·d].
private func attention(_ qkv: [Double], offsets: [Int32], heads: Int, d: Int) -> [Double] {
    let width = heads * d
    let n = qkv.count / (3 * width)
    var out = [Double](repeating: 0, count: n * width)
    for (start, end) in zip(offsets.map(Int.init), offsets.dropFirst().map(Int.init)) {
        for head in 0..<heads {
            for i in start..<end {
                let scores = (start...i).map { j in
                    (0..<d).reduce(0.0) {
                        $0 + qkv[i * 3 * width + head * d + $1] * qkv[j * 3 * width + width + head * d + $1]
                    } / Double(d).squareRoot()
                }
                let weights = scores.map(exp)
                let sum = weights.reduce(0, +)
                for (weight, j) in zip(weights, start...i) {
                    for c in 0..<d {
                        out[i * width + head * d + c] += weight / sum * qkv[j * 3 * width + 2 * width + head * d + c]
                    }
                }
            }
        }
    }
    return out
}

@Suite struct AttentionTests {
    struct Shape: Sendable {
        let lengths: [Int]
        let heads, d: Int
        var offsets: [Int32] { lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) } }
    }
    static let shapes = [
        Shape(lengths: [1], heads: 1, d: 8), Shape(lengths: [33, 1, 5], heads: 3, d: 64),
        Shape(lengths: [2, 0, 65], heads: 2, d: 20), Shape(lengths: [100, 32, 31], heads: 1, d: 33),
        Shape(lengths: [7, 64], heads: 2, d: 80),
    ]

    @Test(arguments: shapes) func forward(shape: Shape) {
        let n = shape.lengths.reduce(0, +)
        let width = shape.heads * shape.d
        let qkv = sampleTensor([n, 3 * width], seed: 1, scale: 2)
        let expected = floats(
            attention(doubles(qkv.array()), offsets: shape.offsets, heads: shape.heads, d: shape.d)
        )
        let out = Tensor(zeros: [n, width])
        let logSumExp = Tensor(zeros: [shape.heads, n])
        attentionForward(qkv: qkv, offsets: shape.offsets, heads: shape.heads, into: out, logSumExp: logSumExp)
        #expect(maximalDifference(out.array(), expected) < 5e-6)
        let half = Tensor(zeros: [n, width], .bfloat16)
        attentionForward(qkv: qkv, offsets: shape.offsets, heads: shape.heads, into: half, logSumExp: logSumExp)
        #expect(half.array() == out.array().map(roundedToBFloat16))
    }

    @Test func backwardAgainstFiniteDifferences() {
        for shape in [Shape(lengths: [5, 1, 3], heads: 2, d: 4), Shape(lengths: [35], heads: 1, d: 3)] {
            let n = shape.lengths.reduce(0, +)
            let width = shape.heads * shape.d
            let qkv = sampleTensor([n, 3 * width], seed: 4, scale: 2)
            let dout = sampleTensor([n, width], seed: 5)
            let expected = finiteDifference(doubles(qkv.array()), weights: doubles(dout.array())) {
                attention($0, offsets: shape.offsets, heads: shape.heads, d: shape.d)
            }
            let result = backward(shape, qkv, dout)
            #expect(relativeError(result, expected) < 1e-5)
        }
    }

    /// At the size that matters, the directional derivative: Σ dqkv·u = d/dt Σ dout·attention(qkv + t·u).
    @Test(arguments: shapes) func backwardAlongADirection(shape: Shape) {
        let n = shape.lengths.reduce(0, +)
        let width = shape.heads * shape.d
        let qkv = sampleTensor([n, 3 * width], seed: 6, scale: 2)
        let dout = sampleTensor([n, width], seed: 7)
        let result = backward(shape, qkv, dout)
        // One direction for each of q, k and v, so that none can hide another's error.
        for part in 0..<3 {
            let direction = samples(qkv.count, seed: UInt64(8 + part)).enumerated().map {
                $0.offset % (3 * width) / width == part ? Double($0.element) : 0
            }
            let along = finiteDifference([0], weights: doubles(dout.array())) { t in
                let moved = zip(doubles(qkv.array()), direction).map { $0 + t[0] * $1 }
                return attention(moved, offsets: shape.offsets, heads: shape.heads, d: shape.d)
            }
            let sum = zip(doubles(result), direction).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(sum - Double(along[0])) < 2e-4 * max(1, abs(sum)), "part \(part)")
        }
    }

    private func backward(_ shape: Shape, _ qkv: Tensor, _ dout: Tensor) -> [Float] {
        let out = Tensor(zeros: dout.shape)
        let logSumExp = Tensor(zeros: [shape.heads, dout.shape[0]])
        attentionForward(qkv: qkv, offsets: shape.offsets, heads: shape.heads, into: out, logSumExp: logSumExp)
        let dqkv = Tensor(zeros: qkv.shape)
        dqkv.fill(.nan)  // must be overwritten
        attentionBackward(
            qkv: qkv,
            offsets: shape.offsets,
            heads: shape.heads,
            out: out,
            logSumExp: logSumExp,
            dout: dout,
            into: dqkv
        )
        return dqkv.array()
    }

    @Test func largeScoresDoNotOverflow() {
        let qkv = sampleTensor([40, 3 * 64], seed: 9, scale: 300)
        let out = Tensor(zeros: [40, 64])
        attentionForward(qkv: qkv, offsets: [0, 40], heads: 1, into: out, logSumExp: Tensor(zeros: [1, 40]))
        #expect(nonFiniteCount(out) == 0)
    }

    /// Feeding a sequence token by token gives the rows of the packed forward pass.
    @Test(arguments: [(3, 64), (5, 20), (1, 7)]) func decodeMatchesForward(heads: Int, d: Int) {
        let lengths = [20, 9, 33]
        let shape = Shape(lengths: lengths, heads: heads, d: d)
        let width = heads * d
        let n = lengths.reduce(0, +)
        let qkv = sampleTensor([n, 3 * width], seed: 2, scale: 2)
        let out = Tensor(zeros: [n, width])
        attentionForward(
            qkv: qkv,
            offsets: shape.offsets,
            heads: heads,
            into: out,
            logSumExp: Tensor(zeros: [heads, n])
        )
        let keys = Tensor(zeros: [5, 40, width])
        let values = Tensor(zeros: [5, 40, width])
        keys.fill(.nan)  // what was never written must not be read
        values.fill(.nan)
        let slots: [Int32] = [4, 0, 2]
        for position in 0..<33 {
            let live = lengths.indices.filter { lengths[$0] > position }
            let rows = live.map { shape.offsets[$0] + Int32(position) }
            let step = Tensor(zeros: [live.count, 3 * width])
            gatherRows(qkv, rows, into: step)
            let result = Tensor(zeros: [live.count, width])
            attentionDecode(
                qkv: step,
                keyCache: keys,
                valueCache: values,
                slots: live.map { slots[$0] },
                lengths: live.map { _ in Int32(position) },
                heads: heads,
                into: result
            )
            let expected = Tensor(zeros: [live.count, width])
            gatherRows(out, rows, into: expected)
            #expect(maximalDifference(result.array(), expected.array()) < 1e-5)
        }
    }
}
