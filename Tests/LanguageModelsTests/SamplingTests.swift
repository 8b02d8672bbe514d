import Foundation
import Randomness
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

func exponential(_ x: Double) -> Double { exp(x) }

@Suite struct SamplingTests {
    /// A model whose predictions are far from uniform.
    let model: LanguageModel
    let prompts: [[Int32]] = [[1], [2, 7, 3, 11], [5, 5], [9, 8, 7, 6, 5, 4, 3], [12, 1, 0]]

    init() { model = Self.model(.float32) }

    private static func model(_ precision: Precision) -> LanguageModel {
        let model = LanguageModel(
            ModelConfiguration(vocabularySize: 13, positions: 24, width: 24, layers: 3, heads: 3),
            head: .none,
            precision: precision,
            seed: 4
        )
        scale(model.parameters.values.rows(0..<(37 * 24)), by: 12)
        model.parametersDidChange()
        return model
    }

    private func streams(_ count: Int, step: Int = 0) -> [CounterRandom] {
        (0..<count).map { CounterRandom(seed: 8, purpose: .sampling, step: step, item: $0) }
    }

    /// log softmax(logits/temperature) of the token after `sequence`, one model pass for each.
    private func distribution(after sequence: [Int32], temperature: Float = 1) -> [Double] {
        (0..<13).map { token in
            let packed = PackedSequences([sequence + [Int32(token)]])
            let row = [Int32(sequence.count - 1)]
            return Double(model.tokenScores(of: packed, rows: row, temperature: temperature).logProbabilities[0])
        }
    }

    /// One token's logit is enough, be it infinite or no number.
    @Test(arguments: [Float.infinity, -.infinity, .nan]) func logitsThatAreNotFiniteAreFound(weight: Float) {
        #expect(model.hasFiniteLogits(after: prompts))
        // Of the output row of a token that no prompt has.
        model.parameters.values[10 * 24] = weight
        model.parametersDidChange()
        #expect(!model.hasFiniteLogits(after: prompts))
    }

    /// With bf16 a full pass rounds keys and values as the cache does.
    @Test(arguments: [(Float(1), Precision.float32, Float(1e-4)), (0.6, .float32, 1e-4), (1, .bfloat16, 0.05)])
    func logProbabilitiesAreThoseOfAFullPass(temperature: Float, precision: Precision, tolerance: Float) {
        let model = Self.model(precision)
        let options = SamplingOptions(maxNewTokens: 12, temperature: temperature, stop: 0)
        let samples = model.sample(prompts: prompts, options: options, streams: streams(prompts.count))
        for (prompt, sample) in zip(prompts, samples) {
            let packed = PackedSequences([prompt + sample.tokens])
            let rows = (0..<sample.tokens.count).map { Int32(prompt.count - 1 + $0) }
            let scores = model.tokenScores(of: packed, rows: rows, temperature: temperature)
            #expect(maximalDifference(sample.logProbabilities, scores.logProbabilities) < tolerance)
            #expect(sample.finished == (sample.tokens.last == 0))
            #expect(sample.finished || sample.tokens.count == 12)
            #expect(!sample.tokens.dropLast().contains(0))
        }
    }

    @Test func batchesDoNotMatter() {
        let options = SamplingOptions(maxNewTokens: 10, stop: 0)
        let all = streams(prompts.count)
        let together = model.sample(prompts: prompts, options: options, streams: all)
        for (i, prompt) in prompts.enumerated() {
            let alone = model.sample(prompts: [prompt], options: options, streams: [all[i]])[0]
            #expect(alone == together[i])
        }
        let reversed = model.sample(prompts: prompts.reversed(), options: options, streams: all.reversed())
        #expect(reversed.reversed() == together)
    }

    /// Equal prompts are run once, and prompts beyond a pass's tokens in several passes.
    @Test func promptsAreShared() {
        let options = SamplingOptions(maxNewTokens: 4, stop: nil)
        let distinct = (0..<30).map { prompt in (0..<20).map { Int32((prompt * $0 + prompt) % 13) } }
        model.inferenceTokens = 64
        defer { model.inferenceTokens = 8192 }
        let prompts = distinct.flatMap { Array(repeating: $0, count: 3) }
        let all = streams(prompts.count)
        let together = model.sample(prompts: prompts, options: options, streams: all)
        for i in stride(from: 0, to: prompts.count, by: 7) {
            #expect(model.sample(prompts: [prompts[i]], options: options, streams: [all[i]])[0] == together[i])
        }
    }

    /// Where the cache has room for few sequences, others begin as those end, and get the same tokens.
    @Test(arguments: [1, 40, 64, 200], [Precision.float32, .bfloat16])
    func aSmallCacheDoesNotMatter(rows: Int, precision: Precision) {
        let model = Self.model(precision)
        let options = SamplingOptions(maxNewTokens: 10, stop: 0)
        let prompts = prompts.flatMap { Array(repeating: $0, count: 4) }
        let all = streams(prompts.count)
        let together = model.sample(prompts: prompts, options: options, streams: all)
        model.samplingBytes = rows * ActivationMemory(model.configuration, precision).cachedToken
        #expect(model.sample(prompts: prompts, options: options, streams: all) == together)
        #expect(Set(together.map(\.tokens.count)).count > 3)
    }

    @Test func frequenciesAreTheProbabilities() {
        let count = 4000
        let options = SamplingOptions(maxNewTokens: 2, stop: nil)
        let samples = model.sample(
            prompts: Array(repeating: [2, 7, 3], count: count),
            options: options,
            streams: streams(count)
        )
        let first = distribution(after: [2, 7, 3]).map { exp($0) }
        check(samples.map { $0.tokens[0] }, first)
        let commonest = first.indices.reduce(0) { first[$1] > first[$0] ? $1 : $0 }
        let second = distribution(after: [2, 7, 3, Int32(commonest)]).map { exp($0) }
        check(samples.filter { $0.tokens[0] == Int32(commonest) }.map { $0.tokens[1] }, second)
    }

    /// Pearson's χ² with 12 degrees of freedom stays below its 99.99th percentile (39.1); the stream is fixed.
    private func check(_ tokens: [Int32], _ probabilities: [Double]) {
        var counts = [Double](repeating: 0, count: 13)
        for token in tokens { counts[Int(token)] += 1 }
        let statistic = zip(counts, probabilities).reduce(0.0) { sum, pair in
            let expected = pair.1 * Double(tokens.count)
            return sum + (pair.0 - expected) * (pair.0 - expected) / expected
        }
        #expect(statistic < 39.1)
    }

    @Test func greedyTakesTheMostProbable() {
        let options = SamplingOptions(maxNewTokens: 6, temperature: 0, stop: nil)
        let samples = model.sample(prompts: prompts, options: options, streams: streams(prompts.count))
        for (prompt, sample) in zip(prompts, samples) {
            var sequence = prompt
            for token in sample.tokens {
                let distribution = distribution(after: sequence)
                #expect(distribution[Int(token)] == distribution.max())
                sequence.append(token)
            }
            #expect(sample.logProbabilities.allSatisfy { $0 == 0 })
        }
    }

    @Test func theContextEndsAResponse() {
        let long: [Int32] = Array(repeating: 3, count: 23)
        let options = SamplingOptions(maxNewTokens: 50, stop: nil)
        let samples = model.sample(prompts: [long, [1]], options: options, streams: streams(2))
        #expect(samples.map(\.tokens.count) == [1, 23])
        #expect(samples.allSatisfy { !$0.finished })
        let none = SamplingOptions(maxNewTokens: 0, stop: nil)
        #expect(model.sample(prompts: [[1]], options: none, streams: streams(1))[0].tokens.isEmpty)
        #expect(model.sample(prompts: [], options: options, streams: []).isEmpty)
    }

    @Test func oneUniformNumberAToken() {
        // Prompt 1's second token uses its stream's second number, whatever the others do.
        let options = SamplingOptions(maxNewTokens: 1, stop: nil)
        let long = SamplingOptions(maxNewTokens: 2, stop: nil)
        let sample = model.sample(prompts: [[2, 7]], options: long, streams: streams(1))[0]
        var stream = streams(1)[0]
        _ = stream.uniform()
        let next = model.sample(prompts: [[2, 7, sample.tokens[0]]], options: options, streams: [stream])[0]
        #expect(next.tokens[0] == sample.tokens[1])
    }
}

/// Truncation rules on distributions written by hand, against `transformers`' meaning.
@Suite struct CategoricalTests {
    /// Probabilities 0.4, 0.1, 0.3, 0.05, 0.15.
    let logits: [Float] = [0.4, 0.1, 0.3, 0.05, 0.15].map { Foundation.log($0) }

    private func options(topK: Int = 0, topP: Float = 1, temperature: Float = 1) -> SamplingOptions {
        SamplingOptions(maxNewTokens: 1, temperature: temperature, topK: topK, topP: topP, stop: nil)
    }

    /// The probability of each token that a fine grid of uniform numbers draws.
    private func drawn(_ options: SamplingOptions) -> [Int32: Double] {
        var shares: [Int32: Double] = [:]
        for i in 0..<2000 {
            let draw = sampleToken(logits: logits, options: options, uniform: (Double(i) + 0.5) / 2000)
            shares[draw.token, default: 0] += 1.0 / 2000
        }
        for (token, share) in shares {
            let draws = (0..<2000).lazy.map {
                sampleToken(logits: logits, options: options, uniform: (Double($0) + 0.5) / 2000)
            }
            let logProbability = draws.first { $0.token == token }?.logProbability ?? 0
            #expect(abs(exp(Double(logProbability)) - share) < 2e-3)
        }
        return shares
    }

    @Test func topKKeepsTheKMostProbable() {
        let shares = drawn(options(topK: 2))
        #expect(shares.keys.sorted() == [0, 2])
        #expect(abs((shares[0] ?? 0) - 4.0 / 7) < 1e-3)
        #expect(drawn(options(topK: 1)).keys.sorted() == [0])
        #expect(drawn(options(topK: 9)).count == 5)
    }

    @Test func topPKeepsTheTokenThatCrosses() {
        #expect(drawn(options(topP: 0.39)).keys.sorted() == [0])
        #expect(drawn(options(topP: 0.41)).keys.sorted() == [0, 2])
        #expect(drawn(options(topP: 0.69)).keys.sorted() == [0, 2])
        #expect(drawn(options(topP: 0.71)).keys.sorted() == [0, 2, 4])
        #expect(drawn(options(topP: 0.96)).count == 5)
        #expect(drawn(options(topP: 1e-6)).keys.sorted() == [0])
    }

    @Test func topKComesBeforeTopP() {
        // Of the two left, the first has 4/7 = 0.571.
        #expect(drawn(options(topK: 2, topP: 0.55)).keys.sorted() == [0])
        #expect(drawn(options(topK: 2, topP: 0.6)).keys.sorted() == [0, 2])
    }

    @Test func temperatureComesFirst() {
        // At temperature 1/2 probabilities are squared: 0.16, 0.01, 0.09, 0.0025, 0.0225 of 0.285.
        #expect(drawn(options(topP: 0.55, temperature: 0.5)).keys.sorted() == [0])
        #expect(drawn(options(topP: 0.6, temperature: 0.5)).keys.sorted() == [0, 2])
    }
}
