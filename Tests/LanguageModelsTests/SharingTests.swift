import Failures
import Randomness
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// Sequences that begin alike, packed so that what they share is computed once.
@Suite struct SharingTests {
    /// What is trained of the model.
    static let trainables: [TrainableParameters] = [
        .full, .adapters(AdapterSettings(rank: 2, alpha: 4, dropout: 0.3)),
        .adapters(AdapterSettings(rank: 2, alpha: 4, topLayers: 1)),
    ]

    private let sequences: [[Int32]] = [
        [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 9], [1, 2, 3, 4, 8, 8, 8, 8], [5], [6, 7, 8], [6, 7, 8, 9, 10, 11, 12],
    ]
    private let sharing = [0, 4, 4, 0, 0, 3]

    @Test func layout() {
        let packed = PackedSequences(sequences, sharing: sharing)
        #expect(packed.tokens == [1, 2, 3, 4, 5, 6, 7, 9, 8, 8, 8, 8, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(packed.offsets == [0, 7, 8, 12, 13, 16, 20])
        #expect(packed.positions == [0, 1, 2, 3, 4, 5, 6, 4, 4, 5, 6, 7, 0, 0, 1, 2, 3, 4, 5, 6])
        #expect(packed.lastRows == [6, 7, 11, 12, 15, 19])
        #expect(Array(packed) == sequences)
        #expect((0..<6).map(packed.length) == [7, 5, 8, 1, 3, 7])
        #expect(packed.rows(predicting: 2, from: 6) == 9..<11)
        #expect(packed.predictingRows == [0, 1, 2, 3, 4, 5, 8, 9, 10, 13, 14, 16, 17, 18])
        let whole = PackedSequences(sequences)
        let hashes = whole.prefixHashes
        #expect(packed.prefixHashes == (0..<6).flatMap { hashes[whole.rows(of: $0)].dropFirst(sharing[$0]) })
    }

    @Test func partsOfAFamilyAreWhole() {
        let packed = PackedSequences(sequences, sharing: sharing)
        for start in 0..<6 {
            for end in start + 1...6 {
                let part = packed.sequences(start..<end)
                #expect(Array(part) == Array(sequences[start..<end]))
                #expect(part == PackedSequences(Array(sequences[start..<end]), sharing: [0] + sharing[start + 1..<end]))
                #expect(part.tokens.last == packed.tokens[Int(packed.start(of: start)) + part.tokens.count - 1])
            }
        }
        #expect(packed.batches(of: 8) == [0..<2, 2..<3, 3..<6])
        #expect(packed.batches(of: 9) == [0..<2, 2..<4, 4..<6])
    }

    /// Responses to one prompt share it, but for its last token, whose row predicts what each begins with.
    @Test func responsesShareTheirPrompt() {
        let packed = PackedSequences(
            [[1, 2, 3, 7], [1, 2, 3, 8, 9], [1, 2, 3, 9], [1, 2, 3, 9], [4, 5], [4, 6]],
            promptLengths: [3, 3, 2, 2, 1, 1]
        )
        #expect(packed.layout.prefixLengths == [0, 2, 0, 1, 0, 0])
        let rows = zip(0..., [3, 3, 2, 2, 1, 1]).flatMap { packed.rows(predicting: $0, from: $1) }
        #expect(rows.map { packed.tokens[Int($0) + 1] } == [7, 8, 9, 3, 9, 3, 9, 5, 6])
    }

    @Test(arguments: AdapterTests.configurations, trainables)
    func rewardsAndGradientsAreThoseOfWholeSequences(configuration: ModelConfiguration, trainable: TrainableParameters)
    {
        let (shared, apart) = [PackedSequences(sequences, sharing: sharing), PackedSequences(sequences)].map { packed in
            let model = model(configuration, head: .reward, trainable)
            let scored = model.rewards(of: packed)
            model.adapterDropoutKey = trainable == .full ? nil : 5
            let rewards = model.forwardRewards(packed)
            model.backwardRewards([1, -0.5, 2, 0.3, -1, 0.7])
            return (rewards: scored + rewards, gradient: model.trainableGradients.array())
        }.pair
        #expect(maximalDifference(shared.rewards, apart.rewards) < 1e-4)
        #expect(relativeError(shared.gradient, apart.gradient) < 1e-4)
    }

    @Test(arguments: AdapterTests.configurations)
    func scoresAndGradientsOfTokensAreThoseOfWholeSequences(configuration: ModelConfiguration) {
        let lengths = [5, 4, 5, 1, 3, 4]
        let (shared, apart) = [PackedSequences(sequences, sharing: sharing), PackedSequences(sequences)].map { packed in
            let model = model(configuration, head: .value, .full)
            model.checkpointsActivations = packed.layout.prefixLengths != Array(repeating: 0, count: 6)
            let rows = zip(0..., lengths).flatMap { sequence, length in
                packed.rows(predicting: sequence, from: max(length, sharing[sequence] + 1))
            }
            let scored = model.tokenScores(of: packed, rows: rows, temperature: 0.8)
            let scores = model.forwardTokenScores(packed, rows: rows, temperature: 0.8)
            let gradient = rows.indices.map { Float($0 % 3) - 0.8 }
            model.backwardTokenScores(dLogProbabilities: gradient, dValues: gradient)
            return (
                scores: [scored, scores].flatMap { $0.logProbabilities + $0.entropies + $0.values },
                gradient: model.trainableGradients.array()
            )
        }.pair
        #expect(maximalDifference(shared.scores, apart.scores) < 1e-4)
        #expect(relativeError(shared.gradient, apart.gradient) < 1e-4)
    }

    /// Passes of a few tokens cut families; what is left of one is computed anew.
    @Test(arguments: AdapterTests.configurations) func familiesAreCutBetweenPasses(configuration: ModelConfiguration) {
        let packed = PackedSequences(sequences, sharing: sharing)
        let rows = packed.predictingRows
        let (rewarding, scoring) = (
            model(configuration, head: .reward, .full), model(configuration, head: .value, .full)
        )
        let (rewards, scores) = (
            rewarding.rewards(of: packed), scoring.tokenScores(of: packed, rows: rows, temperature: 1)
        )
        for tokens in [1, 8, 9] {
            (rewarding.inferenceTokens, scoring.inferenceTokens) = (tokens, tokens)
            #expect(maximalDifference(rewarding.rewards(of: packed), rewards) < 1e-4)
            let cut = scoring.tokenScores(of: packed, rows: rows, temperature: 1)
            #expect(maximalDifference(cut.logProbabilities, scores.logProbabilities) < 1e-4)
            #expect(maximalDifference(cut.values, scores.values) < 1e-4)
        }
    }

    @Test func sharedTokensCountInAContext() {
        let model = model(AdapterTests.configurations[0], head: .reward, .full)
        let long = [Int32](repeating: 1, count: 24)
        let packed = PackedSequences([long, long + [2]], sharing: [0, 24])
        #expect(throws: Failure(.badData, "sequence of 25 tokens is longer than the model's context of 24")) {
            try model.validate(packed)
        }
    }

    private func model(_ configuration: ModelConfiguration, head: Head, _ trainable: TrainableParameters)
        -> LanguageModel
    {
        let base = LanguageModel(configuration, head: .none, precision: .float32, seed: 4)
        scale(base.parameters.values, by: 3)
        base.parametersDidChange()
        let model = base.copy(head: head, trainable: trainable, seed: 7)
        var random = CounterRandom(seed: 5, purpose: .test)
        if trainable != .full {
            for i in model.trainableRange { model.parameters.values[i] = Float(0.3 * random.normal()) }
            model.parametersDidChange()
        }
        return model
    }
}

extension Array {
    /// Both of two elements.
    fileprivate var pair: (Element, Element) { (self[0], self[1]) }
}
