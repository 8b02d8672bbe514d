import Tensors
import TestSupport
import Testing

/// Products of few rows, with a matrix packed and in place, and of few columns.
@Suite struct RowProductTests {
    struct Shape: Sendable { let m, n, k: Int }
    static let shapes = [
        Shape(m: 1, n: 1, k: 1), Shape(m: 3, n: 5, k: 7), Shape(m: 6, n: 64, k: 64), Shape(m: 7, n: 65, k: 17),
        Shape(m: 13, n: 200, k: 33), Shape(m: 4, n: 130, k: 2), Shape(m: 29, n: 16, k: 48), Shape(m: 200, n: 8, k: 70),
        Shape(m: 130, n: 66, k: 40),
    ]
    static let types: [ElementType] = [.float32, .bfloat16]

    @Test(arguments: shapes, types) func isTheProduct(shape: Shape, type: ElementType) {
        for other in [ElementType.float32, .bfloat16, .float16] { check(shape, type, other) }
    }

    private func check(_ shape: Shape, _ aType: ElementType, _ bType: ElementType) {
        let (m, n, k) = (shape.m, shape.n, shape.k)
        let (x, a) = sampleTensor(samples(m * k, seed: 1), [m, k], aType)
        for transposed in [false, true] {
            let (y, b) = sampleTensor(samples(k * n, seed: 2), transposed ? [n, k] : [k, n], bType)
            let packed = PackedMatrix(inner: k, columns: n, bType)
            packed.pack(y, transposed: transposed)
            let c = Tensor(samples(m * n, seed: 3), shape: [m, n])
            let inPlace = Tensor(samples(m * n, seed: 4), shape: [m, n])
            multiply(x, packed, into: c)
            let expected = (0..<m * n).map { index in
                let (i, j) = (index / n, index % n)
                return Float(
                    (0..<k).reduce(0.0) { sum, p in
                        sum + Double(a[i * k + p]) * Double(b[transposed ? j * k + p : p * n + j])
                    }
                )
            }
            #expect(relativeError(c.array(), expected) < 2e-6, "\(aType) \(bType) transposed \(transposed)")
            guard transposed else { continue }
            multiplyRows(x, transposed: y, into: inPlace)
            #expect(relativeError(inPlace.array(), expected) < 2e-6, "\(aType) \(bType) in place")
        }
    }

    /// A row's result does not depend on the other rows, nor on the number of threads: what lets sequences be decoded
    /// in any batch.
    @Test(arguments: types) func rowsStandAlone(type: ElementType) {
        let (m, n, k) = (25, 150, 47)
        let a = sampleTensor(samples(m * k, seed: 1), [m, k], type).tensor
        let packed = PackedMatrix(inner: k, columns: n, type)
        packed.pack(sampleTensor(samples(k * n, seed: 2), [k, n], type).tensor)
        let together = Tensor(zeros: [m, n])
        multiply(a, packed, into: together)
        let b = sampleTensor(samples(k * n, seed: 2), [n, k], type).tensor
        let inPlace = Tensor(zeros: [m, n])
        multiplyRows(a, transposed: b, into: inPlace)
        let threads = KernelThreads.count
        defer { KernelThreads.set(threads) }
        for count in [1, 2, 3] {
            KernelThreads.set(count)
            for rows in [0..<1, 3..<9, 2..<25] {
                let c = Tensor(zeros: [rows.count, n])
                multiply(a.rows(rows), packed, into: c)
                #expect(c.array() == together.rows(rows).array(), "rows \(rows) on \(count) threads")
                multiplyRows(a.rows(rows), transposed: b, into: c)
                #expect(c.array() == inPlace.rows(rows).array(), "rows \(rows) in place on \(count) threads")
            }
        }
    }
}
