import Foundation
import Randomness
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

@Suite struct LlamaTests {
    static let configuration = ModelConfiguration(
        vocabularySize: 13,
        positions: 30,
        width: 24,
        layers: 3,
        heads: 6,
        innerWidth: 40,
        family: .llama(LlamaShape(keyValueHeads: 2, headWidth: 4, attentionBias: .inputs, slidingWindow: 26))
    )

    /// The same with norms of queries and keys, and with norms after the layers.
    static let configurations =
        [configuration]
        + [LlamaShape.Member.qwen3, .olmo2].map { member in
            var other = configuration
            other.family = .llama(LlamaShape(member: member, keyValueHeads: 2, headWidth: 4))
            return other
        }

    /// A model whose predictions are far from uniform.
    private func model(
        _ configuration: ModelConfiguration = configuration,
        head: Head = .none,
        precision: Precision = .float32
    ) -> LanguageModel {
        let model = LanguageModel(configuration, head: head, precision: precision, seed: 4)
        for entry in model.parameters.entries where entry.decays {
            scale(model.parameters.values.view(at: entry.offset, shape: [entry.count]), by: 12)
        }
        model.parametersDidChange()
        return model
    }

    /// Sampling against the cache gives the log-probabilities of a full pass, prompts of different length in one batch.
    @Test(arguments: configurations) func decodingIsThatOfAFullPass(configuration: ModelConfiguration) {
        let model = model(configuration)
        let prompts: [[Int32]] = [[1], [2, 7, 3, 11], [5, 5], [9, 8, 7, 6, 5, 4, 3, 12, 1, 1, 2]]
        let options = SamplingOptions(maxNewTokens: 14, stop: nil)
        let streams = prompts.indices.map { CounterRandom(seed: 8, purpose: .sampling, item: $0) }
        let samples = model.sample(prompts: prompts, options: options, streams: streams)
        for (prompt, sample) in zip(prompts, samples) {
            let packed = PackedSequences([prompt + sample.tokens])
            let rows = (0..<sample.tokens.count).map { Int32(prompt.count - 1 + $0) }
            let scores = model.tokenScores(of: packed, rows: rows, temperature: 1)
            #expect(maximalDifference(sample.logProbabilities, scores.logProbabilities) < 1e-4)
        }
        #expect(samples.allSatisfy { $0.tokens.count == 14 })
    }

    @Test(arguments: configurations) func packedEqualsOneByOne(configuration: ModelConfiguration) {
        let model = model(configuration, head: .reward)
        let sequences: [[Int32]] = [[1, 2, 3, 4, 5], [6], [7, 8, 9, 10, 11, 12, 0, 1, 2, 3]]
        let alone = sequences.map { model.rewards(of: PackedSequences([$0]))[0] }
        #expect(maximalDifference(model.rewards(of: PackedSequences(sequences)), alone) < 1e-5)
    }

    @Test func theSlidingWindowBoundsSequences() throws {
        let model = model()
        try model.validate(PackedSequences([Array(repeating: 1, count: 26)]))
        #expect(throws: (any Error).self) { try model.validate(PackedSequences([Array(repeating: 1, count: 27)])) }
        let options = SamplingOptions(maxNewTokens: 100, stop: nil)
        let stream = CounterRandom(seed: 8, purpose: .sampling)
        let sample = model.sample(prompts: [[1, 2]], options: options, streams: [stream])[0]
        #expect(sample.tokens.count == 24)
    }

    @Test func headsAndVocabularyMatrixAreWhereTheyBelong() {
        let names = { (head: Head) in Parameters.layout(Self.configuration, head: head).map(\.name) }
        #expect(names(.none).last == "lm_head.weight")
        #expect(!names(.reward).contains("lm_head.weight"))
        #expect(names(.value).suffix(3) == ["lm_head.weight", "value.weight", "value.bias"])
        let model = model(head: .value)
        #expect(model.parameters.headRange.count == 25)
        var tied = Self.configuration
        tied.family = .llama(LlamaShape(keyValueHeads: 2, headWidth: 4, tiesEmbeddings: true))
        #expect(!Parameters.layout(tied, head: .none).map(\.name).contains("lm_head.weight"))
    }

    @Test func copiesHaveTheTrunk() {
        let model = model()
        let reward = model.copy(head: .reward, seed: 1)
        let critic = model.copy(head: .value, seed: 1)
        for name in ["model.embed_tokens.weight", "model.layers.2.mlp.down_proj.weight"] {
            #expect(reward.matrix(name).array() == model.matrix(name).array())
        }
        #expect(reward.value("model.norm.weight").array() == model.value("model.norm.weight").array())
        #expect(critic.matrix("lm_head.weight").array() == model.matrix("lm_head.weight").array())
    }

    @Test func initialization() {
        let model = LanguageModel(Self.configuration, head: .reward, precision: .float32, seed: 4)
        for entry in model.parameters.entries where entry.shape.count == 1 {
            let expected: Float = entry.name.hasSuffix("bias") ? 0 : 1
            #expect(model.value(entry.name).array().allSatisfy { $0 == expected }, "\(entry.name)")
        }
        let weights = model.matrix("model.layers.1.mlp.down_proj.weight").array()
        let deviation = (weights.reduce(0) { $0 + $1 * $1 } / Float(weights.count)).squareRoot()
        #expect(abs(deviation / 0.02 - 1) < 0.1)
    }

    /// Sizes of the models that these shapes are of.
    @Test func llama2HasItsKnownSize() {
        let llama2 = ModelConfiguration(
            vocabularySize: 32_000,
            positions: 4096,
            width: 4096,
            layers: 32,
            heads: 32,
            innerWidth: 11_008,
            family: .llama(LlamaShape(keyValueHeads: 32, headWidth: 128))
        )
        #expect(llama2.parameterCount(head: .none) == 6_738_415_616)
    }

    @Test func frequenciesOfLlama3AreThoseOfTheirFormula() {
        let rotary = RotaryPositions(
            theta: 500_000,
            scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8192)
        )
        let plain = RotaryPositions(theta: 500_000).frequencies(headWidth: 128)
        let scaled = rotary.frequencies(headWidth: 128)
        #expect(plain[0] == 1)
        for (f, g) in zip(plain, scaled) {
            let wave = 2 * Double.pi / Double(f)
            if wave < 8192 / 4 { #expect(g == f) }
            if wave > 8192 { #expect(abs(g / (f / 8) - 1) < 1e-6) }
            #expect(g <= f && g >= f / 8 * 0.999999)
        }
        #expect(RotaryPositions(theta: 100, scaling: .linear(factor: 4)).frequencies(headWidth: 4) == [0.25, 0.025])
    }
}
