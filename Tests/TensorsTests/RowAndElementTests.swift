import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct RowAndElementTests {
    /// Of bfloat16 the change lies in a float32's upper half.
    @Test func exclusiveOrBringsOneHalfToTheOther() {
        let count = 1003
        func halves(_ factor: Float) -> Tensor {
            let tensor = Tensor(zeros: [count], .bfloat16)
            tensor.copy(from: Tensor((0..<count).map { factor * Float($0) - 300 }, shape: [count]))
            return tensor
        }
        func widened(_ x: Tensor) -> Tensor { Tensor(x.array(), shape: [count]) }
        let (x, y) = (halves(0.7), halves(-1.3))
        let change = widened(x)
        exclusiveOr(widened(y), into: change)
        exclusiveOr(change, into: x)
        #expect(x.array() == y.array())
    }

    @Test func exclusiveOrBringsOneToTheOther() {
        let (x, y) = (Tensor([1, -0.0, .nan, 3], shape: [4]), Tensor([2, 0, 1, 3], shape: [4]))
        let change = x.copied()
        exclusiveOr(y, into: change)
        #expect(change[3] == 0)
        exclusiveOr(change, into: y)
        #expect(y.array().map(\.bitPattern) == x.array().map(\.bitPattern))
    }

    private static let tokens: [Int32] = [4, 0, 4, 4, 2]
    private static let positions: [Int32] = [0, 1, 2, 0, 1]

    @Test(arguments: [1, 7, 64, 100], [ElementType.float32, .bfloat16]) func embeddings(d: Int, type: ElementType) {
        let (table, places) = (Tensor(zeros: [5, d], type), Tensor(zeros: [3, d], type))
        table.copy(from: sampleTensor([5, d], seed: 1))
        places.copy(from: sampleTensor([3, d], seed: 2))
        let x = Tensor(zeros: [5, d])
        embeddingForward(
            tokens: Self.tokens,
            positions: Self.positions,
            tokenEmbedding: table,
            positionEmbedding: places,
            into: x
        )
        let (tableValues, placeValues) = (table.array(), places.array())
        let sums = x.array().indices.map { i in
            tableValues[Int(Self.tokens[i / d]) * d + i % d] + placeValues[Int(Self.positions[i / d]) * d + i % d]
        }
        #expect(x.array() == sums)
    }

    @Test(arguments: [1, 7, 64, 100]) func embeddingGradients(d: Int) {
        let (table, places) = (sampleTensor([5, d], seed: 1), sampleTensor([3, d], seed: 2))
        var (expectedTable, expectedPlaces) = (table.array(), places.array())
        let dx = samples(5 * d, seed: 3)
        embeddingBackward(
            dx: Tensor(dx, shape: [5, d]),
            tokens: Self.tokens,
            positions: Self.positions,
            tokenGradient: table,
            positionGradient: places
        )
        for index in dx.indices {
            expectedTable[Int(Self.tokens[index / d]) * d + index % d] += dx[index]
            expectedPlaces[Int(Self.positions[index / d]) * d + index % d] += dx[index]
        }
        #expect(table.array() == expectedTable && places.array() == expectedPlaces)
    }

    @Test(arguments: [1, 18, 700]) func gatherAndScatter(d: Int) {
        let x = samples(6 * d, seed: 1)
        let rows: [Int32] = [5, 0, 3]
        let picked = rows.flatMap { x[(Int($0) * d)..<((Int($0) + 1) * d)] }
        let source = Tensor(x, shape: [6, d])
        let out = Tensor(zeros: [3, d])
        gatherRows(source, rows, into: out)
        #expect(out.array() == picked)
        let half = Tensor(zeros: [3, d], .bfloat16)
        gatherRows(source, rows, into: half)
        #expect(half.array() == picked.map(roundedToBFloat16))
        scatterAddRows(out, rows, into: source)
        #expect(source.array() == x.indices.map { rows.contains(Int32($0 / d)) ? 2 * x[$0] : x[$0] })
    }

    @Test(arguments: [0, 1, 17, 16_384, 100_003]) func elementwise(count: Int) {
        let (x, y) = (samples(count, seed: 1), samples(count, seed: 2))
        let sum = Tensor(y, shape: [count])
        addScaled(Tensor(x, shape: [count]), scale: 0.3, to: sum)
        #expect(maximalDifference(sum.array(), zip(x, y).map { $1 + 0.3 * $0 }) < 1e-6)
        let scaled = Tensor(x, shape: [count])
        scale(scaled, by: -2)
        #expect(scaled.array() == x.map { -2 * $0 })
        let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(chunkSumsOfSquares(Tensor(x, shape: [count])).reduce(0, +) - squares) <= 1e-12 * squares)
    }

    @Test func nonFiniteValuesAreSeen() {
        var values = samples(40_000, seed: 1)
        #expect(nonFiniteCount(Tensor(values, shape: [40_000])) == 0)
        values[3] = .nan
        values[17_000] = -.infinity
        values[39_999] = .infinity
        let x = Tensor(values, shape: [40_000])
        #expect(nonFiniteCount(x) == 3)
        #expect(!chunkSumsOfSquares(x).reduce(0, +).isFinite)
        let half = Tensor(zeros: [40_000], .bfloat16)
        half.copy(from: x)
        #expect(nonFiniteCount(half) == 3)
        #expect(chunkSumsOfSquares(Tensor([3e38, 3e38], shape: [2])).reduce(0, +).isFinite)
    }

    @Test(arguments: [1, 33, 20_001]) func adamW(count: Int) {
        var (theta, m, v) = (
            doubles(samples(count, seed: 1)), [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
        )
        let parameters = Tensor(floats(theta), shape: [count])
        let (first, second) = (Tensor(zeros: [count]), Tensor(zeros: [count]))
        for step in 1...4 {
            let gradient = samples(count, seed: UInt64(10 + step))
            adamWStep(
                parameters: parameters,
                gradients: Tensor(gradient, shape: [count]),
                firstMoment: first,
                secondMoment: second,
                step: step,
                learningRate: 0.01,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-8,
                weightDecay: 0.1,
                gradientScale: 0.5
            )
            for i in 0..<count {
                let g = 0.5 * Double(gradient[i])
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.99 * v[i] + 0.01 * g * g
                let corrected = m[i] / (1 - pow(0.9, Double(step)))
                let spread = (v[i] / (1 - pow(0.99, Double(step)))).squareRoot()
                theta[i] -= 0.01 * 0.1 * theta[i]
                theta[i] -= 0.01 * corrected / (spread + 1e-8)
            }
        }
        #expect(maximalDifference(parameters.array(), floats(theta)) < 1e-5)
    }
}

@Suite struct HashTests {
    /// Around the blocks of 32 bytes and the pieces of 256 KiB in which threads hash.
    @Test(arguments: [1, 7, 8, 9, 65_536, 65_537, 200_001]) func everyBitCounts(count: Int) {
        let tensor = Tensor(zeros: [count])
        let zeros = hash(of: tensor)
        var seen: Set<UInt64> = [zeros]
        for index in Set([0, count / 2, count - 1]) {
            for bit in [0, 13, 31] {
                tensor[index] = Float(bitPattern: 1 << UInt32(bit))
                #expect(seen.insert(hash(of: tensor)).inserted, "element \(index), bit \(bit)")
                tensor[index] = 0
            }
        }
        #expect(hash(of: tensor) == zeros)
        #expect(hash(of: Tensor(zeros: [count + 1])) != zeros, "the length counts")
    }

    @Test func placesCount() {
        #expect(hash(of: [1, 2, 3, 4]) != hash(of: [4, 3, 2, 1]))
        #expect(hash(of: [UInt8]()) == hash(of: [UInt8]()))
    }
}
