import Failures
import Randomness
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

@Suite struct PackingTests {
    let model = LanguageModel(
        ModelConfiguration(vocabularySize: 40, positions: 32, width: 24, layers: 2, heads: 3),
        head: .reward,
        precision: .float32,
        seed: 3
    )

    private func sequences(_ lengths: [Int]) -> [[Int32]] {
        var random = CounterRandom(seed: 1, purpose: .test)
        return lengths.map { length in (0..<length).map { _ in Int32.random(in: 0..<40, using: &random) } }
    }

    @Test func layout() {
        let packed = PackedSequences([[5, 6, 7], [8], [9, 10]])
        #expect(packed.tokens == [5, 6, 7, 8, 9, 10])
        #expect(packed.offsets == [0, 3, 4, 6])
        #expect(packed.positions == [0, 1, 2, 0, 0, 1])
        #expect(packed.lastRows == [2, 3, 5])
        #expect(packed.sequences(1..<3) == PackedSequences([[8], [9, 10]]))
        #expect(PackedSequences([]).count == 0)
    }

    @Test func batchesKeepSequencesWhole() {
        let packed = PackedSequences(sequences([3, 4, 9, 1, 1]))
        #expect(packed.batches(of: 7) == [0..<2, 2..<3, 3..<5])
        #expect(packed.batches(of: 1) == [0..<1, 1..<2, 2..<3, 3..<4, 4..<5])
        #expect(packed.batches(of: 100) == [0..<5])
        #expect(PackedSequences([]).batches(of: 5).isEmpty)
    }

    @Test func packedEqualsOneByOne() {
        let all = sequences([5, 1, 32, 17, 2])
        let together = model.rewards(of: PackedSequences(all))
        let apart = all.flatMap { model.rewards(of: PackedSequences([$0])) }
        #expect(maximalDifference(together, apart) < 1e-5)

        let packed = PackedSequences(all)
        let scores = model.tokenScores(of: packed, rows: packed.predictingRows, temperature: 1)
        let single = all.map { PackedSequences([$0]) }.flatMap {
            model.tokenScores(of: $0, rows: $0.predictingRows, temperature: 1).logProbabilities
        }
        #expect(maximalDifference(scores.logProbabilities, single) < 1e-5)
    }

    @Test func recordedEqualsUnrecorded() {
        let packed = PackedSequences(sequences([6, 9, 3]))
        #expect(model.forwardRewards(packed) == model.rewards(of: packed))
        let rows = packed.predictingRows
        let recorded = model.forwardTokenScores(packed, rows: rows, temperature: 0.5)
        #expect(recorded == model.tokenScores(of: packed, rows: rows, temperature: 0.5))
    }

    @Test func aLaterTokenChangesNothingBefore() {
        let first = PackedSequences([[1, 2, 3, 4, 5, 6]])
        let second = PackedSequences([[1, 2, 3, 4, 5, 30]])
        let a = model.tokenScores(of: first, rows: [0, 1, 2, 3], temperature: 1)
        let b = model.tokenScores(of: second, rows: [0, 1, 2, 3], temperature: 1)
        #expect(a == b)
    }

    @Test func probabilitiesOfAllTokensSumToOne() {
        let scores = (0..<40).map { token in
            model.tokenScores(of: PackedSequences([[3, 14, Int32(token)]]), rows: [1], temperature: 0.8)
        }
        let logProbabilities = scores.map { Double($0.logProbabilities[0]) }
        #expect(abs(logProbabilities.reduce(0) { $0 + exponential($1) } - 1) < 1e-5)
        let entropy = -logProbabilities.reduce(0) { $0 + exponential($1) * $1 }
        #expect(abs(entropy - Double(scores[0].entropies[0])) < 1e-4)
    }

    @Test func largerBatchesAfterSmallerOnes() {
        let small = PackedSequences(sequences([4, 4]))
        let large = PackedSequences(sequences([30, 32, 31, 29]))
        let before = model.forwardRewards(small)
        _ = model.forwardRewards(large)
        model.backwardRewards([1, 1, 1, 1])
        #expect(model.forwardRewards(small) == before)
    }

    @Test func outsideTokensAreChecked() {
        #expect(throws: Failure(.badData, "token id 9000 outside the vocabulary of 40")) {
            try model.validate(PackedSequences([[1, 2], [3, 9000]]))
        }
        #expect(throws: Failure(.badData, "token id -1 outside the vocabulary of 40")) {
            try model.validate(PackedSequences([[-1]]))
        }
        #expect(throws: Failure(.badData, "sequence of 33 tokens is longer than the model's context of 32")) {
            try model.validate(PackedSequences([Array(repeating: 1, count: 33)]))
        }
        #expect(throws: Never.self) { try model.validate(PackedSequences([[0, 39], Array(repeating: 1, count: 32)])) }
    }
}
