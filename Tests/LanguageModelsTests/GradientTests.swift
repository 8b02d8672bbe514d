import Randomness
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// Whole-model gradients against central differences, along a random direction within each tensor.
@Suite struct GradientTests {
    /// One of each family; the Llama with grouped heads whose widths do not add up to the model's, and all biases.
    static let configurations = [
        ModelConfiguration(vocabularySize: 11, positions: 9, width: 6, layers: 2, heads: 2, innerWidth: 10),
        ModelConfiguration(
            vocabularySize: 11,
            positions: 9,
            width: 6,
            layers: 2,
            heads: 4,
            innerWidth: 7,
            family: .llama(LlamaShape(keyValueHeads: 2, headWidth: 2, attentionBias: .all))
        ),
        // Heads and tokens whose queries and keys are normed; OLMo 2's width is above that of all else.
        ModelConfiguration(
            vocabularySize: 11,
            positions: 9,
            width: 6,
            layers: 2,
            heads: 2,
            innerWidth: 7,
            family: .llama(LlamaShape(member: .qwen3, keyValueHeads: 1, headWidth: 4, attentionBias: .all))
        ),
        ModelConfiguration(
            vocabularySize: 11,
            positions: 9,
            width: 18,
            layers: 2,
            heads: 2,
            innerWidth: 7,
            family: .llama(LlamaShape(member: .olmo2, keyValueHeads: 1, headWidth: 4))
        ),
    ]
    let configuration = configurations[0]
    let sequences = PackedSequences([[1, 4, 4, 10, 0], [7], [3, 2, 9, 5, 6, 8, 1, 0, 2]])

    /// A model whose parameters are all far from zero and from each other.
    private func model(_ shape: ModelConfiguration? = nil, head: Head) -> LanguageModel {
        let model = LanguageModel(shape ?? configuration, head: head, precision: .float32)
        randomize(model)
        return model
    }

    /// Adapters over such a model, and a head, that are all far from zero too.
    private func adapted(_ shape: ModelConfiguration, head: Head, dropout: Double = 0) -> LanguageModel {
        let adapters = AdapterSettings(rank: 3, alpha: 2, dropout: dropout)
        let model = model(shape, head: .none).copy(head: head, trainable: .adapters(adapters), seed: 1)
        randomize(model)
        return model
    }

    private func randomize(_ model: LanguageModel) {
        var random = CounterRandom(seed: 5, purpose: .test)
        for entry in model.parameters.entries {
            let isGain = entry.shape.count == 1 && entry.name.hasSuffix("weight")
            for i in entry.range {
                model.parameters.values[i] = Float(0.4 * random.normal()) + (isGain ? 1 : 0)
            }
        }
        model.parametersDidChange()
    }

    /// Activations that are computed again are those that were not kept.
    @Test(arguments: configurations, [false, true])
    func checkpointingChangesNoBit(configuration: ModelConfiguration, hasAdapters: Bool) {
        func gradients(checkpointing: Bool) -> [[Float]] {
            let model = hasAdapters ? adapted(configuration, head: .value) : model(configuration, head: .value)
            model.checkpointsActivations = checkpointing
            _ = model.forwardTokenScores(sequences, rows: [1, 3, 7, 9], temperature: 1)
            model.backwardTokenScores(dLogProbabilities: [1, -2, 3, -4], dValues: [1, 0, -1, 2])
            let ofTokens = model.parameters.gradients.array()
            let rewards = hasAdapters ? adapted(configuration, head: .reward) : self.model(configuration, head: .reward)
            rewards.checkpointsActivations = checkpointing
            _ = rewards.forwardRewards(sequences)
            rewards.backwardRewards([1, -2, 3])
            return [ofTokens, rewards.parameters.gradients.array()]
        }
        #expect(gradients(checkpointing: true) == gradients(checkpointing: false))
    }

    /// Checks `gradients` of `loss` for each tensor of the model.
    private func check(_ model: LanguageModel, loss: () -> Double) {
        let gradients = model.parameters.gradients.array()
        let values = model.parameters.values.array()
        var random = CounterRandom(seed: 6, purpose: .test)
        for entry in model.parameters.entries {
            let direction = entry.range.map { _ in Float(random.normal()) }
            let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let step: Float = 0.02 / norm
            var slopes: [Double] = []
            for sign: Float in [1, -1] {
                for (i, d) in zip(entry.range, direction) {
                    model.parameters.values[i] = values[i] + sign * step * d
                }
                model.parametersDidChange()
                slopes.append(loss())
            }
            for i in entry.range {
                model.parameters.values[i] = values[i]
            }
            model.parametersDidChange()
            let measured = (slopes[0] - slopes[1]) / Double(2 * step)
            let expected = zip(entry.range, direction).reduce(0.0) { $0 + Double(gradients[$1.0] * $1.1) }
            let size = zip(entry.range, direction).reduce(0.0) {
                $0 + Double(gradients[$1.0] * $1.1) * Double(gradients[$1.0] * $1.1)
            }
            // A direction may happen to be nearly level: then the tensor's own scale is the measure.
            let scale = max(abs(expected), 0.3 * size.squareRoot(), 1e-2)
            #expect(abs(measured - expected) < 0.02 * scale, "\(entry.name): \(measured) against \(expected)")
        }
    }

    @Test(arguments: configurations, [false, true]) func rewards(configuration: ModelConfiguration, hasAdapters: Bool) {
        let model = hasAdapters ? adapted(configuration, head: .reward) : model(configuration, head: .reward)
        let weights: [Float] = [0.7, -1.3, 1]
        _ = model.forwardRewards(sequences)
        model.backwardRewards(weights)
        check(model) {
            zip(model.rewards(of: sequences), weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
    }

    /// Of one value head with adapters, of two without.
    @Test(arguments: configurations, [false, true])
    func logProbabilitiesAndValues(configuration: ModelConfiguration, hasAdapters: Bool) {
        let model = hasAdapters ? adapted(configuration, head: .value) : model(configuration, head: .values(2))
        let rows: [Int32] = [0, 2, 3, 6, 7, 8, 9, 13]
        let weights: [Float] = [1, -0.5, 0.8, 1.2, -1, 0.3, 0.9, 0.6]
        let ofOneHead: [Float] = [0.2, 0.9, -0.4, 1, 0.5, -0.7, 0.8, -0.1]
        let valueWeights = hasAdapters ? ofOneHead : ofOneHead + ofOneHead.map { $0 - 0.4 }
        _ = model.forwardTokenScores(sequences, rows: rows, temperature: 0.7)
        model.backwardTokenScores(dLogProbabilities: weights, dValues: valueWeights)
        check(model) {
            let scores = model.tokenScores(of: sequences, rows: rows, temperature: 0.7)
            return zip(scores.logProbabilities, weights).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                + zip(scores.values, valueWeights).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        }
    }

    /// The same elements are dropped in the forward and the backward pass, in blocks that are computed again too.
    @Test(arguments: configurations, [false, true])
    func adaptersWithDropout(configuration: ModelConfiguration, checkpointing: Bool) {
        let model = adapted(configuration, head: .reward, dropout: 0.4)
        let whole = model.rewards(of: sequences)
        model.adapterDropoutKey = 9
        model.checkpointsActivations = checkpointing
        #expect(model.rewards(of: sequences) == whole, "nothing is dropped where nothing is trained")
        let weights: [Float] = [0.7, -1.3, 1]
        let dropped = model.forwardRewards(sequences)
        #expect(dropped != whole)
        model.backwardRewards(weights)
        check(model) {
            zip(model.forwardRewards(sequences), weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        // Neither what else is packed nor which rows are read matters; the key does.
        for i in 0..<sequences.count {
            #expect(abs(model.forwardRewards(sequences.sequences(i..<i + 1))[0] - dropped[i]) < 1e-5)
        }
        model.adapterDropoutKey = 10
        #expect(model.forwardRewards(sequences) != dropped)
    }

    @Test func gradientsAccumulate() {
        let model = model(head: .reward)
        _ = model.forwardRewards(sequences)
        model.backwardRewards([1, 2, 3])
        let once = model.parameters.gradients.array()
        _ = model.forwardRewards(sequences)
        model.backwardRewards([1, 2, 3])
        #expect(relativeError(model.parameters.gradients.array(), once.map { 2 * $0 }) < 1e-6)
    }

    @Test func gradientsMayLieInALargerVector() {
        let model = model(head: .reward)
        _ = model.forwardRewards(sequences)
        model.backwardRewards([1, 2, 3])
        let own = model.parameters.gradients.array()
        let count = model.parameters.count
        let shared = Tensor(zeros: [2 * count])
        model.parameters.gradients = shared.view(at: count, shape: [count])
        _ = model.forwardRewards(sequences)
        model.backwardRewards([1, 2, 3])
        #expect(Array(shared.array()[count...]) == own)
        #expect(shared.array()[..<count].allSatisfy { $0 == 0 })
    }

    @Test(arguments: [Head.reward, .value]) func headAloneLeavesTheTrunk(head: Head) {
        let full = model(head: head)
        let frozen = model(head: head)
        frozen.trainable = .head
        for model in [full, frozen] {
            if head == .reward {
                _ = model.forwardRewards(sequences)
                model.backwardRewards([1, -2, 0.5])
            } else {
                _ = model.forwardTokenScores(sequences, rows: [0, 7], temperature: 1)
                model.backwardTokenScores(dLogProbabilities: [1, 1], dValues: [0.5, -2])
            }
        }
        let start = full.parameters.headRange.lowerBound
        #expect(frozen.trainableRange == full.parameters.headRange)
        #expect(!frozen.trainableRange.isEmpty)
        let expected = full.parameters.gradients.array()
        let found = frozen.parameters.gradients.array()
        #expect(found[..<start].allSatisfy { $0 == 0 })
        #expect(expected[..<start].contains { $0 != 0 })
        #expect(relativeError(Array(found[start...]), Array(expected[start...])) < 1e-6)
    }
}
