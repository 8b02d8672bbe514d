import Tensors
import TestSupport
import Testing

@testable import LanguageModels

@Suite struct ParametersTests {
    let configuration = ModelConfiguration(vocabularySize: 50, positions: 20, width: 16, layers: 2, heads: 4)

    @Test func tensorsLieEndToEnd() {
        for head in [Head.none, .reward, .value] {
            let entries = Parameters.layout(configuration, head: head)
            var end = 0
            for entry in entries {
                #expect(entry.offset == end)
                end = entry.range.upperBound
            }
            #expect(configuration.parameterCount(head: head) == end)
        }
    }

    @Test func gpt2HasItsKnownSize() {
        let gpt2 = ModelConfiguration(vocabularySize: 50_257, positions: 1024, width: 768, layers: 12, heads: 12)
        #expect(gpt2.parameterCount(head: .none) == 124_439_808)
        #expect(gpt2.parameterCount(head: .reward) == 124_439_808 + 768)
    }

    @Test func matricesDecayAndVectorsDoNot() {
        let model = LanguageModel(configuration, head: .value, precision: .float32)
        let decaying = model.parameters.decayingRanges(within: 0..<model.parameters.count)
        for entry in model.parameters.entries {
            let isCovered = decaying.contains { $0.contains(entry.offset) && $0.contains(entry.range.upperBound - 1) }
            #expect(isCovered == (entry.shape.count == 2), "\(entry.name)")
        }
        // Embeddings touch each other, so they are one range.
        #expect(decaying.first == 0..<(70 * 16))
        #expect(model.parameters.decayingRanges(within: model.parameters.headRange) == [0..<16])
    }

    @Test func initializationIsThatOfGPT2() {
        let model = LanguageModel(
            ModelConfiguration(vocabularySize: 300, positions: 50, width: 64, layers: 8, heads: 4),
            head: .reward,
            precision: .float32,
            seed: 1
        )
        func deviation(_ name: String) -> Double {
            let values = model.value(name).array().map { Double($0) }
            return (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
        }
        #expect(abs(deviation("transformer.wte.weight") / 0.02 - 1) < 0.03)
        #expect(abs(deviation("transformer.h.3.mlp.c_fc.weight") / 0.02 - 1) < 0.03)
        #expect(abs(deviation("transformer.h.3.mlp.c_proj.weight") / 0.005 - 1) < 0.03)
        #expect(abs(deviation("transformer.h.7.attn.c_proj.weight") / 0.005 - 1) < 0.05)
        #expect(abs(deviation("score.weight") * 64 - 1) < 0.3)
        #expect(model.value("transformer.h.0.ln_1.weight").array().allSatisfy { $0 == 1 })
        #expect(model.value("transformer.ln_f.weight").array().allSatisfy { $0 == 1 })
        #expect(model.value("transformer.h.0.mlp.c_fc.bias").array().allSatisfy { $0 == 0 })
    }

    @Test func seedsDecide() {
        let models = [1, 1, 2].map { seed in
            LanguageModel(configuration, head: .none, precision: .float32, seed: UInt64(seed)).parameters.values.array()
        }
        #expect(models[0] == models[1])
        #expect(models[0] != models[2])
    }

    @Test func copiesShareNothing() {
        let model = LanguageModel(configuration, head: .none, precision: .float32, seed: 1)
        let copy = model.copy(head: .value, seed: 9)
        #expect(copy.value("value.weight").array().allSatisfy { $0 == 0 })
        let rows: [Int32] = [0, 1]
        let sequences = PackedSequences([[1, 2, 3]])
        let before = model.tokenScores(of: sequences, rows: rows, temperature: 1)
        #expect(copy.tokenScores(of: sequences, rows: rows, temperature: 1).logProbabilities == before.logProbabilities)
        copy.parameters.values.fill(0.1)
        copy.parametersDidChange()
        #expect(model.tokenScores(of: sequences, rows: rows, temperature: 1) == before)
    }
}
