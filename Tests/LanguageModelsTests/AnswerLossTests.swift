import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// The loss on answers alone, against `transformers` with the other tokens labelled −100 (`make_answers.py`).
@Suite struct AnswerLossTests {
    @Test(arguments: ["small", "llama3", "qwen3", "olmo2"]) func lossAndEveryGradient(name: String) throws {
        let golden = try GoldenModel(name)
        let expected = try goldenValues(goldenFile("\(name)-answers"))
        let answers = try golden.sequences.indices.map { number in
            let edges = try #require(expected["answers.\(number)"]).map { Int($0) }
            return stride(from: 0, to: edges.count, by: 2).map { edges[$0]..<edges[$0 + 1] }
        }
        let model = golden.model(head: .none, precision: .float32)
        let packed = PackedSequences(golden.sequences)
        let rows = packed.rows(predicting: answers)
        let scores = model.forwardTokenScores(packed, rows: rows, temperature: 1)
        model.parameters.gradients.fill(0)
        model.backwardTokenScores(
            dLogProbabilities: Array(repeating: -1 / Float(rows.count), count: rows.count),
            dValues: []
        )
        let loss = -scores.logProbabilities.reduce(0.0) { $0 + Double($1) } / Double(rows.count)
        #expect(abs(loss - Double(try #require(expected["loss"])[0])) < 1e-4)
        for entry in model.parameters.entries {
            let gradient = model.gradient(entry.name).array()
            #expect(relativeError(gradient, expected["grad.\(entry.name)"] ?? []) < 1e-3, "\(entry.name)")
        }
    }

    @Test func allTokensAreTheRowsThatPredict() {
        let packed = PackedSequences([[1, 2, 3], [4], [5, 6]])
        #expect(packed.rows(predicting: [[1..<3], [], [1..<2]]) == packed.predictingRows)
        #expect(packed.rows(predicting: [[2..<3], [], []]) == [1])
    }
}
