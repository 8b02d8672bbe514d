import Randomness
import Testing

@testable import Tensors

@Suite struct DropoutTests {
    private func keys(_ count: Int) -> [UInt64] {
        var random = CounterRandom(seed: 5, purpose: .test)
        return (0..<count).map { _ in random.next() }
    }

    private func ones(_ rows: Int, _ columns: Int, _ type: ElementType = .float32) -> Tensor {
        let x = Tensor(zeros: [rows, columns], type)
        x.fill(1)
        return x
    }

    /// Kept elements are scaled, as many are dropped as asked for, in every row and column.
    @Test(arguments: [0, 0.05, 0.5, 0.9]) func dropsWithTheProbability(p: Double) {
        let (rows, columns) = (64, 1000)
        let y = Tensor(zeros: [rows, columns])
        Dropout(probability: p, keys: keys(rows)).forward(ones(rows, columns), into: y)
        let values = y.array()
        #expect(values.allSatisfy { $0 == 0 || $0 == Float(1 / (1 - p)) })
        func deviation(_ dropped: Int, of count: Int) -> Double {
            abs(Double(dropped) - p * Double(count)) / max(1, (p * (1 - p) * Double(count)).squareRoot())
        }
        #expect(deviation(values.count { $0 == 0 }, of: values.count) < 4)
        for row in 0..<rows {
            #expect(deviation(values[row * columns..<(row + 1) * columns].count { $0 == 0 }, of: columns) < 5)
        }
        for column in 0..<columns {
            #expect(deviation((0..<rows).count { values[$0 * columns + column] == 0 }, of: rows) < 6)
        }
    }

    /// A row's choice is that of its key, whatever rows are beside it and however many threads there are; keys differ
    /// in it.
    @Test func dependsOnKeyAndColumnAlone() {
        let (rows, columns) = (9, 37)
        let keys = keys(rows)
        func masks(_ keys: [UInt64]) -> [[Float]] {
            let y = Tensor(zeros: [keys.count, columns])
            Dropout(probability: 0.5, keys: keys).forward(ones(keys.count, columns), into: y)
            return keys.indices.map { Array(y.array()[$0 * columns..<($0 + 1) * columns]) }
        }
        let together = masks(keys)
        #expect(Set(together).count == rows)
        for row in 0..<rows { #expect(masks([keys[row]])[0] == together[row]) }
        let threads = KernelThreads.count
        defer { KernelThreads.set(threads) }
        KernelThreads.set(1)
        #expect(masks(keys) == together)
    }

    /// In bf16 the same elements are dropped, and the backward pass adds where the forward pass kept.
    @Test func backwardFindsTheSameElements() {
        let (rows, columns) = (5, 50)
        let dropout = Dropout(probability: 0.25, keys: keys(rows))
        let (y, half) = (Tensor(zeros: [rows, columns]), Tensor(zeros: [rows, columns], .bfloat16))
        dropout.forward(ones(rows, columns), into: y)
        dropout.forward(ones(rows, columns, .bfloat16), into: half)
        #expect(zip(y.array(), half.array()).allSatisfy { ($0 == 0) == ($1 == 0) })
        let dx = ones(rows, columns)
        dropout.backward(dy: ones(rows, columns), addingTo: dx)
        #expect(zip(y.array(), dx.array()).allSatisfy { $1 == $0 + 1 })
    }
}
