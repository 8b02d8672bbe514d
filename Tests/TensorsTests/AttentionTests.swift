import Foundation
import Tensors
import TestSupport
import Testing

/// The shape of an attention call; `group` query heads share a head of keys.
struct AttentionShape: Sendable {
    /// Rows of each sequence's own.
    let lengths: [Int]
    /// Rows that each shares with the last one before it that shares none; nil: none share any.
    var shared: [Int]?
    let heads: Int
    var group = 1
    let d: Int
    var layout = AttentionInput.Layout.sideBySide

    var offsets: [Int32] { lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) } }
    var sequences: PackedLayout {
        PackedLayout(offsets: offsets, prefixLengths: shared?.map(Int32.init) ?? lengths.map { _ in 0 })
    }
    /// All rows of each sequence.
    var rowsOfSequences: [[Int]] {
        var first = 0
        return lengths.indices.map { index in
            let (start, shared) = (Int(offsets[index]), Int(sequences.prefixLengths[index]))
            if shared == 0 { first = start }
            return Array(first..<first + shared) + Array(start..<start + lengths[index])
        }
    }
    var rows: Int { lengths.reduce(0, +) }
    var width: Int { heads * d }
    var keyValueWidth: Int { heads / group * d }
    /// Elements of a row, queries, keys and values together.
    var rowWidth: Int { width + 2 * keyValueWidth }

    func input(_ tensor: Tensor) -> AttentionInput {
        AttentionInput(tensor, heads: heads, keyValueHeads: heads / group, headWidth: d, layout: layout)
    }

    /// Where element `column` of part 0, 1 or 2 (queries, keys, values) of a row is.
    func index(part: Int, row: Int, column: Int) -> Int {
        switch layout {
        case .sideBySide:
            row * rowWidth + [0, width, width + keyValueWidth][part] + column
        case .apart:
            rows * [0, width, width + keyValueWidth][part] + row * [width, keyValueWidth, keyValueWidth][part] + column
        }
    }

    /// Causal attention as defined, in float64: [n, heads·d].
    func attention(_ x: [Double]) -> [Double] {
        var out = [Double](repeating: 0, count: rows * width)
        for (sequence, own) in zip(rowsOfSequences, lengths) {
            for head in 0..<heads {
                let keys = head / group * d
                for (position, i) in sequence.enumerated().suffix(own) {
                    let scores = sequence[...position].map { j in
                        (0..<d).reduce(0.0) {
                            $0 + x[index(part: 0, row: i, column: head * d + $1)]
                                * x[index(part: 1, row: j, column: keys + $1)]
                        } / Double(d).squareRoot()
                    }
                    let weights = scores.map(exp)
                    let sum = weights.reduce(0, +)
                    for (weight, j) in zip(weights, sequence) {
                        for c in 0..<d {
                            let value = x[index(part: 2, row: j, column: keys + c)]
                            out[i * width + head * d + c] += weight / sum * value
                        }
                    }
                }
            }
        }
        return out
    }
}

@Suite struct AttentionTests {
    static let shapes = [
        AttentionShape(lengths: [1], heads: 1, d: 8), AttentionShape(lengths: [33, 1, 5], heads: 3, d: 64),
        AttentionShape(lengths: [2, 0, 65], heads: 2, d: 20), AttentionShape(lengths: [100, 32, 31], heads: 1, d: 33),
        AttentionShape(lengths: [7, 64], heads: 2, d: 80),
        AttentionShape(lengths: [33, 1, 5], heads: 6, group: 3, d: 16),
        AttentionShape(lengths: [33, 1, 5], heads: 6, group: 3, d: 16, layout: .apart),
        AttentionShape(lengths: [4, 70], heads: 4, group: 4, d: 18, layout: .apart),
        AttentionShape(lengths: [90, 1, 40, 33, 3], shared: [0, 64, 70, 0, 33], heads: 3, d: 64),
        AttentionShape(lengths: [70, 50, 31], shared: [0, 1, 31], heads: 4, group: 2, d: 18, layout: .apart),
    ]

    @Test(arguments: shapes) func forward(shape: AttentionShape) {
        let qkv = sampleTensor([shape.rows, shape.rowWidth], seed: 1, scale: 2)
        let expected = floats(shape.attention(doubles(qkv.array())))
        let (out, logSumExp) = attended(shape, qkv)
        #expect(maximalDifference(out.array(), expected) < 5e-6)
        let half = Tensor(zeros: out.shape, .bfloat16)
        attentionForward(shape.input(qkv), shape.sequences, into: half, logSumExp: logSumExp)
        #expect(half.array() == out.array().map(roundedToBFloat16))
    }

    @Test(arguments: [
        AttentionShape(lengths: [5, 1, 3], heads: 2, d: 4), AttentionShape(lengths: [35], heads: 1, d: 3),
        AttentionShape(lengths: [5, 1, 3], heads: 4, group: 2, d: 2),
        AttentionShape(lengths: [35], heads: 2, group: 2, d: 3, layout: .apart),
        AttentionShape(lengths: [5, 2, 1, 3, 1], shared: [0, 3, 5, 0, 1], heads: 2, d: 4),
        AttentionShape(lengths: [33, 3], shared: [0, 31], heads: 4, group: 2, d: 3, layout: .apart),
    ])
    func backwardAgainstFiniteDifferences(shape: AttentionShape) {
        let qkv = sampleTensor([shape.rows, shape.rowWidth], seed: 4, scale: 2)
        let dout = sampleTensor([shape.rows, shape.width], seed: 5)
        let expected = finiteDifference(doubles(qkv.array()), weights: doubles(dout.array()), shape.attention)
        #expect(relativeError(backward(shape, qkv, dout), expected) < 1e-5)
    }

    /// At the size that matters, the directional derivative: Σ dqkv·u = d/dt Σ dout·attention(qkv + t·u).
    @Test(arguments: shapes) func backwardAlongADirection(shape: AttentionShape) {
        let qkv = sampleTensor([shape.rows, shape.rowWidth], seed: 6, scale: 2)
        let dout = sampleTensor([shape.rows, shape.width], seed: 7)
        let result = backward(shape, qkv, dout)
        // One direction for each of q, k and v, so that none can hide another's error.
        for part in 0..<3 {
            let values = samples(qkv.count, seed: UInt64(8 + part))
            var direction = [Double](repeating: 0, count: qkv.count)
            for row in 0..<shape.rows {
                for column in 0..<(part == 0 ? shape.width : shape.keyValueWidth) {
                    let i = shape.index(part: part, row: row, column: column)
                    direction[i] = Double(values[i])
                }
            }
            let along = finiteDifference([0], weights: doubles(dout.array())) { t in
                shape.attention(zip(doubles(qkv.array()), direction).map { $0 + t[0] * $1 })
            }
            let sum = zip(doubles(result), direction).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(sum - Double(along[0])) < 2e-4 * max(1, abs(sum)), "part \(part)")
        }
    }

    private func backward(_ shape: AttentionShape, _ qkv: Tensor, _ dout: Tensor, queries: [Int32]? = nil) -> [Float] {
        let (out, logSumExp) = attended(shape, qkv, queries: queries)
        let dqkv = Tensor(zeros: qkv.shape)
        dqkv.fill(.nan)  // must be overwritten
        attentionBackward(
            shape.input(qkv),
            shape.sequences,
            queries: queries,
            out: out,
            logSumExp: logSumExp,
            dout: dout,
            into: dqkv
        )
        return dqkv.array()
    }

    /// A row's result has the same bits whether what comes before it is shared or its sequence's own.
    @Test(arguments: [AttentionInput.Layout.sideBySide, .apart]) func sharingChangesNoBit(layout: AttentionInput.Layout)
    {
        let family = AttentionShape(
            lengths: [70, 41, 5],
            shared: [0, 37, 64],
            heads: 4,
            group: 2,
            d: 20,
            layout: layout
        )
        let apart = AttentionShape(lengths: [70, 78, 69], heads: 4, group: 2, d: 20, layout: layout)
        let rows = Array(family.rowsOfSequences.joined())
        let x = samples(family.rows * family.rowWidth, seed: 3).map { 2 * $0 }
        var whole = [Float](repeating: 0, count: apart.rows * apart.rowWidth)
        for part in 0..<3 {
            for (row, shared) in rows.enumerated() {
                for column in 0..<(part == 0 ? family.width : family.keyValueWidth) {
                    whole[apart.index(part: part, row: row, column: column)] =
                        x[family.index(part: part, row: shared, column: column)]
                }
            }
        }
        let expected = Tensor(zeros: [apart.rows, apart.width])
        gatherRows(attended(family, tensor(x, family)).out, rows.map(Int32.init), into: expected)
        #expect(attended(apart, tensor(whole, apart)).out.array() == expected.array())
    }

    /// What queries return has the bits of a pass in which all rows are, and gradients are those of one in which
    /// nothing reads the others.
    @Test(arguments: shapes, [2, 7, 100]) func someQueries(shape: AttentionShape, step: Int) {
        // With 100, the first sequences of families have none.
        let queries = (0..<shape.rows).filter { $0 % step == step - 1 || $0 == shape.rows - 1 }.map(Int32.init)
        let qkv = sampleTensor([shape.rows, shape.rowWidth], seed: 4, scale: 2)
        let (out, logSumExp) = attended(shape, qkv, queries: queries)
        let expected = Tensor(zeros: out.shape)
        gatherRows(attended(shape, qkv).out, queries, into: expected)
        #expect(out.array() == expected.array())
        let half = Tensor(zeros: out.shape, .bfloat16)
        attentionForward(shape.input(qkv), shape.sequences, queries: queries, into: half, logSumExp: logSumExp)
        #expect(half.array() == out.array().map(roundedToBFloat16))

        let dout = sampleTensor(out.shape, seed: 5)
        let whole = Tensor(zeros: [shape.rows, shape.width])
        scatterAddRows(dout, queries, into: whole)
        #expect(relativeError(backward(shape, qkv, dout, queries: queries), backward(shape, qkv, whole)) < 1e-6)
    }

    private func tensor(_ x: [Float], _ shape: AttentionShape) -> Tensor {
        let tensor = Tensor(zeros: [shape.rows, shape.rowWidth])
        tensor.copy(from: x)
        return tensor
    }

    /// What a forward pass writes.
    private func attended(
        _ shape: AttentionShape,
        _ x: Tensor,
        queries: [Int32]? = nil
    ) -> (out: Tensor, logSumExp: Tensor) {
        let count = queries?.count ?? shape.rows
        let (out, logSumExp) = (Tensor(zeros: [count, shape.width]), Tensor(zeros: [shape.heads, count]))
        attentionForward(shape.input(x), shape.sequences, queries: queries, into: out, logSumExp: logSumExp)
        return (out, logSumExp)
    }

    @Test func largeScoresDoNotOverflow() {
        let qkv = sampleTensor([40, 3 * 64], seed: 9, scale: 300)
        let out = Tensor(zeros: [40, 64])
        attentionForward(
            AttentionInput(qkv, heads: 1),
            PackedLayout(offsets: [0, 40]),
            into: out,
            logSumExp: Tensor(zeros: [1, 40])
        )
        #expect(nonFiniteCount(out) == 0)
    }

    /// Feeding a sequence token by token gives the rows of the packed forward pass: where the cache is of bf16, of
    /// numbers that bf16 holds.
    @Test(
        arguments: [
            AttentionShape(lengths: [20, 9, 33], heads: 3, d: 64),
            AttentionShape(lengths: [20, 9, 33], heads: 5, d: 20),
            AttentionShape(lengths: [20, 9, 33], heads: 1, d: 7),
            AttentionShape(lengths: [20, 9, 33], heads: 40, group: 2, d: 5),
            AttentionShape(lengths: [20, 9, 33], heads: 18, group: 18, d: 17),
        ],
        [ElementType.float32, .bfloat16]
    )
    func decodeMatchesForward(shape: AttentionShape, cache: ElementType) {
        let qkv = sampleTensor([shape.rows, shape.rowWidth], seed: 2, scale: 2)
        let held = Tensor(zeros: qkv.shape, cache)
        held.copy(from: qkv)
        qkv.copy(from: held)
        let out = attended(shape, qkv).out
        // The third's first seven tokens lie apart from the rest.
        let never = Tensor(zeros: [90, shape.keyValueWidth])
        never.fill(.nan)  // what was never written must not be read
        let (keys, values) = (Tensor(zeros: never.shape, cache), Tensor(zeros: never.shape, cache))
        for kept in [keys, values] { kept.copy(from: never) }
        let places = [(0..<0, 0..<20), (0..<0, 80..<90), (20..<27, 40..<66)]
        for position in 0..<33 {
            let live = shape.lengths.indices.filter { shape.lengths[$0] > position }
            let rows = live.map { shape.offsets[$0] + Int32(position) }
            let step = Tensor(zeros: [live.count, shape.rowWidth])
            gatherRows(qkv, rows, into: step)
            let result = Tensor(zeros: [live.count, shape.width])
            attentionDecode(
                shape.input(step),
                keyCache: keys,
                valueCache: values,
                sequences: live.map { sequence in
                    let (prefix, tail) = places[sequence]
                    // Until its prefix is full, it is a tail.
                    return position < prefix.count
                        ? CachedSequence(prefix: 0..<0, tail: prefix, length: position)
                        : CachedSequence(prefix: prefix, tail: tail, length: position)
                },
                into: result
            )
            let expected = Tensor(zeros: result.shape)
            gatherRows(out, rows, into: expected)
            #expect(maximalDifference(result.array(), expected.array()) < 1e-5)
        }
    }
}
