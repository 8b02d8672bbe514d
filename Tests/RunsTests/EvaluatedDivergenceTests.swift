import Evaluation
import LanguageModels
import Testing

@testable import Runs

struct EvaluatedDivergenceTests {
    private func model(seed: UInt64) -> LanguageModel {
        let shape = ModelConfiguration(vocabularySize: 20, positions: 16, width: 8, layers: 1, heads: 2)
        return LanguageModel(shape, head: .none, precision: .float32, seed: seed)
    }

    private let responses = [[Int32(3), 4, 5], [6], [7, 8]].map {
        JudgedResponse(prompt: "", response: "", promptTokens: [1, 2], responseTokens: $0)
    }

    /// Exactly 0 at any temperature; of another model it is not, and the temperature tells.
    @Test func theReferenceDoesNotDivergeFromItself() {
        func divergence(_ policy: LanguageModel, _ temperature: Float) -> Double {
            summedDivergence(of: responses[...], policy: policy, model(seed: 3), temperature: temperature)
        }
        for temperature: Float in [0.5, 0.7, 1, 2] {
            #expect(divergence(model(seed: 3), temperature) == 0)
            #expect(divergence(model(seed: 4), temperature) != 0)
        }
        #expect(divergence(model(seed: 4), 0.5) != divergence(model(seed: 4), 1))
    }
}
