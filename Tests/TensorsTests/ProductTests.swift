import Tensors
import TestSupport
import Testing

@Suite struct ProductTests {
    struct Shape: Sendable { let m, n, k: Int }
    static let shapes = [
        Shape(m: 1, n: 1, k: 1), Shape(m: 3, n: 5, k: 7), Shape(m: 1, n: 33, k: 64), Shape(m: 64, n: 48, k: 17),
        Shape(m: 130, n: 70, k: 65), Shape(m: 200, n: 1, k: 31), Shape(m: 300, n: 64, k: 3),
        Shape(m: 270, n: 410, k: 20),
    ]

    /// op(a)·op(b) (+ c) as defined, in float64.
    private func product(
        _ a: [Float],
        _ transposeA: Bool,
        _ b: [Float],
        _ transposeB: Bool,
        _ shape: Shape,
        _ c: [Float]?
    ) -> [Float] {
        let (m, n, k) = (shape.m, shape.n, shape.k)
        var result = [Float](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                var sum = Double(c?[i * n + j] ?? 0)
                for p in 0..<k {
                    sum += Double(a[transposeA ? p * m + i : i * k + p]) * Double(b[transposeB ? j * k + p : p * n + j])
                }
                result[i * n + j] = Float(sum)
            }
        }
        return result
    }

    private func check(_ shape: Shape, _ aType: ElementType, _ bType: ElementType) {
        for (index, (transposeA, transposeB)) in [(false, false), (false, true), (true, false), (true, true)]
            .enumerated()
        {
            let seed = UInt64(index)
            let start = samples(shape.m * shape.n, seed: seed + 20)
            let (x, a) = sampleTensor(
                samples(shape.m * shape.k, seed: seed),
                transposeA ? [shape.k, shape.m] : [shape.m, shape.k],
                aType
            )
            let (y, b) = sampleTensor(
                samples(shape.k * shape.n, seed: seed + 10),
                transposeB ? [shape.n, shape.k] : [shape.k, shape.n],
                bType
            )
            for accumulate in [false, true] {
                let c = Tensor(start, shape: [shape.m, shape.n])
                multiply(x, transposed: transposeA, y, transposed: transposeB, into: c, accumulate: accumulate)
                let expected = product(a, transposeA, b, transposeB, shape, accumulate ? start : nil)
                let name = "\(aType) \(bType) \(transposeA) \(transposeB) \(accumulate)"
                #expect(relativeError(c.array(), expected) < 2e-6, "\(name)")
            }
        }
    }

    @Test(arguments: shapes) func float32(shape: Shape) { check(shape, .float32, .float32) }

    @Test(arguments: shapes) func bfloat16(shape: Shape) { check(shape, .bfloat16, .bfloat16) }

    /// Operands of two types: weights are read as a file has them, on every CPU.
    ///
    /// The last shape takes more than one part of k.
    @Test(arguments: shapes + [Shape(m: 20, n: 30, k: 700)]) func mixedTypes(shape: Shape) {
        for a in [ElementType.float32, .bfloat16] {
            for b in [ElementType.float32, .bfloat16, .float16] where a != b { check(shape, a, b) }
        }
    }

    /// Updates of some rows, over several blocks of a product, give what products added to it do.
    @Test(arguments: [ElementType.float32, .bfloat16], [false, true])
    func updatesAreAdded(type: ElementType, transposed: Bool) {
        let (m, n, k, rank) = (300, 410, 20, 5)
        func tensor(_ shape: [Int], seed: UInt64) -> Tensor {
            let tensor = Tensor(zeros: shape, type)
            tensor.copy(from: Tensor(samples(shape[0] * shape[1], seed: seed), shape: shape))
            return tensor
        }
        let (a, b) = (tensor([m, k], seed: 1), tensor([k, n], seed: 2))
        let ranges = [0..<7, 7..<210, 210..<210, 250..<300]
        let updates = ranges.enumerated().map { index, rows in
            LowRankUpdate(
                rows: rows,
                u: tensor([rows.count, rank], seed: UInt64(3 + index)),
                v: tensor(transposed ? [n, rank] : [rank, n], seed: UInt64(13 + index)),
                transposed: transposed
            )
        }
        let expected = Tensor(zeros: [m, n])
        multiply(a, b, into: expected)
        for update in updates {
            let rows = expected.rows(update.rows)
            multiply(update.u, transposed: false, update.v, transposed: transposed, into: rows, accumulate: true)
        }
        let c = Tensor(samples(m * n, seed: 30), shape: [m, n])
        multiply(a, b, into: c, adding: updates)
        #expect(relativeError(c.array(), expected.array()) < 1e-6)
        #expect(c.rows(210..<250).array() == expected.rows(210..<250).array())
    }

    @Test func emptyProducts() {
        let c = Tensor([5, 6], shape: [1, 2])
        multiply(Tensor(zeros: [1, 0]), Tensor(zeros: [0, 2]), into: c, accumulate: true)
        #expect(c.array() == [5, 6])
        multiply(Tensor(zeros: [1, 0]), Tensor(zeros: [0, 2]), into: c)
        #expect(c.array() == [0, 0])
        multiply(Tensor(zeros: [0, 3]), Tensor(zeros: [3, 2]), into: Tensor(zeros: [0, 2]))
    }
}
