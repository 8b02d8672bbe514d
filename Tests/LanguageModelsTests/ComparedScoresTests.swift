import Foundation
import Tensors
import Testing

@testable import LanguageModels

/// Two models' scores of the same tokens, and how far their next-token distributions are from one another.
@Suite struct ComparedScoresTests {
    private let sequences = PackedSequences([[1, 2, 3, 4], [1, 2, 7], [5, 6]], promptLengths: [2, 2, 1])
    private let shape = ModelConfiguration(vocabularySize: 21, positions: 8, width: 8, layers: 2, heads: 2)

    private var rows: [Int32] {
        [(0, 2), (1, 2), (2, 1)].flatMap { sequences.rows(predicting: $0.0, from: $0.1) }
    }

    /// What each of the two passes gives alone, with the same bits; also where both work in one workspace.
    @Test(arguments: [Precision.float32, .bfloat16], [Float(1), 0.6])
    func scoresAreThoseOfEachAlone(precision: Precision, temperature: Float) {
        let policy = model(3, head: .value, precision)
        let copy = policy.copy(head: .none, trainable: .adapters(AdapterSettings(rank: 2, alpha: 4)), seed: 5)
        copy.parameters.values.withMutableSpan { values in
            for index in values.indices { values[index] = 0.1 * Float(index % 7 - 2) }
        }
        copy.parametersDidChange()
        for reference in [model(4, head: .none, precision), copy] {
            func alone(_ model: LanguageModel) -> TokenScores {
                model.tokenScores(of: sequences, rows: rows, temperature: temperature)
            }
            let both = policy.tokenScores(of: sequences, rows: rows, temperature: temperature, against: reference)
            #expect(both.own == alone(policy) && !both.own.values.isEmpty)
            #expect(both.reference == alone(reference).logProbabilities)
            #expect(both.divergences.allSatisfy { $0 > 1e-4 })
        }
    }

    /// Against the sum over the vocabulary, each token scored as the next one.
    @Test func divergencesAreThoseOfTheDistributions() {
        let (policy, reference) = (model(3, head: .none, .float32), model(4, head: .none, .float32))
        let both = policy.tokenScores(of: sequences, rows: rows, temperature: 0.6, against: reference)
        let contexts: [[Int32]] = [[1, 2], [1, 2, 3], [1, 2], [5]]
        for (context, divergence) in zip(contexts, both.divergences) {
            let next = PackedSequences((0..<21).map { context + [$0] })
            let last = next.lastRows.map { $0 - 1 }
            let (p, q) = (
                policy.tokenScores(of: next, rows: last, temperature: 0.6).logProbabilities.map(Double.init),
                reference.tokenScores(of: next, rows: last, temperature: 0.6).logProbabilities.map(Double.init)
            )
            let expected = zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            #expect(expected > 1e-3 && abs(Double(divergence) / expected - 1) < 1e-3)
        }
        #expect(both.divergences.count == contexts.count)
        let itself = policy.tokenScores(of: sequences, rows: rows, temperature: 0.6, against: policy)
        #expect(itself.divergences == [0, 0, 0, 0])
    }

    /// Weights that make distributions differ.
    private func model(_ seed: UInt64, head: Head, _ precision: Precision) -> LanguageModel {
        let model = LanguageModel(shape, head: head, precision: precision, seed: seed)
        scale(model.parameters.values, by: 8)
        model.parametersDidChange()
        return model
    }
}
