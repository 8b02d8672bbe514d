import Randomness
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// Low-rank adapters over a frozen trunk; their gradients against differences are in `GradientTests`.
@Suite struct AdapterTests {
    static let configurations = [
        ModelConfiguration(vocabularySize: 13, positions: 24, width: 24, layers: 3, heads: 3),
        llama(.llama, innerWidth: 40), llama(.qwen3, innerWidth: 20), llama(.olmo2, innerWidth: 20),
    ]

    private static func llama(_ member: LlamaShape.Member, innerWidth: Int) -> ModelConfiguration {
        ModelConfiguration(
            vocabularySize: 13,
            positions: 24,
            width: 24,
            layers: 3,
            heads: 4,
            innerWidth: innerWidth,
            family: .llama(LlamaShape(member: member, keyValueHeads: 2, headWidth: 6))
        )
    }
    static let precisions: [Precision] = [.float32, .bfloat16]

    let sequences = PackedSequences([[1, 2, 3, 4, 5, 6, 7], [8], [9, 10, 11, 12, 0, 1, 2, 3, 4, 5]])
    let rows: [Int32] = [0, 1, 4, 8, 12, 16]
    let prompts: [[Int32]] = [[1], [2, 7, 3, 11], [5, 5]]

    /// A base whose predictions are far from uniform.
    private func base(_ configuration: ModelConfiguration, _ precision: Precision = .float32) -> LanguageModel {
        let model = LanguageModel(configuration, head: .none, precision: precision, seed: 4)
        scale(model.parameters.values, by: 3)
        model.parametersDidChange()
        return model
    }

    /// Adapters that are far from zero.
    private func adapted(_ base: LanguageModel, head: Head = .none, _ settings: AdapterSettings) -> LanguageModel {
        let model = base.copy(head: head, trainable: .adapters(settings), seed: 7)
        var random = CounterRandom(seed: 5, purpose: .test)
        for i in 0..<model.parameters.headRange.lowerBound {
            model.parameters.values[i] = Float(0.3 * random.normal())
        }
        model.parametersDidChange()
        return model
    }

    private func sample(_ model: LanguageModel, _ prompts: [[Int32]], first: Int = 0) -> [Sample] {
        let streams = prompts.indices.map { CounterRandom(seed: 8, purpose: .sampling, item: first + $0) }
        return model.sample(prompts: prompts, options: SamplingOptions(maxNewTokens: 12, stop: 0), streams: streams)
    }

    /// New adapters have B = 0: scores, samples and rewards have the bits of the base.
    @Test(arguments: configurations, precisions)
    func newAdaptersChangeNothing(configuration: ModelConfiguration, precision: Precision) {
        let base = base(configuration, precision)
        let model = base.copy(head: .none, trainable: .adapters(AdapterSettings(rank: 2, alpha: 4)), seed: 1)
        let scores = base.tokenScores(of: sequences, rows: rows, temperature: 1)
        #expect(model.tokenScores(of: sequences, rows: rows, temperature: 1) == scores)
        #expect(sample(model, prompts) == sample(base, prompts))
        let rewards = base.copy(head: .reward, seed: 2).rewards(of: sequences)
        let adapters = TrainableParameters.adapters(AdapterSettings(rank: 2, alpha: 4))
        #expect(base.copy(head: .reward, trainable: adapters, seed: 2).rewards(of: sequences) == rewards)
    }

    @Test(arguments: configurations, precisions)
    func samplesHaveTheLogProbabilitiesOfAFullPass(configuration: ModelConfiguration, precision: Precision) {
        let base = base(configuration, precision)
        let model = adapted(base, AdapterSettings(rank: 3, alpha: 3))
        let samples = sample(model, prompts)
        #expect(samples != sample(base, prompts))
        for (prompt, sample) in zip(prompts, samples) {
            let packed = PackedSequences([prompt + sample.tokens])
            let rows = (0..<sample.tokens.count).map { Int32(prompt.count - 1 + $0) }
            let scores = model.tokenScores(of: packed, rows: rows, temperature: 1)
            let tolerance: Float = precision == .float32 ? 1e-4 : 0.05
            #expect(maximalDifference(sample.logProbabilities, scores.logProbabilities) < tolerance)
        }
        for (i, prompt) in prompts.enumerated() {
            #expect(sample(model, [prompt], first: i) == [samples[i]])
        }
    }

    /// The weights for sampling follow the adapters.
    @Test func samplesFollowTraining() {
        let base = base(Self.configurations[1])
        let model = base.copy(head: .none, trainable: .adapters(AdapterSettings(rank: 3, alpha: 3)), seed: 1)
        let before = sample(model, prompts)
        let trained = adapted(base, AdapterSettings(rank: 3, alpha: 3))
        model.parameters.values.copy(from: trained.parameters.values)
        model.parametersDidChange()
        #expect(sample(model, prompts) == sample(trained, prompts))
        #expect(sample(model, prompts) != before)
    }

    private static let topLayers = [
        AdapterSettings(rank: 2, alpha: 3, topLayers: 1), AdapterSettings(rank: 2, alpha: 3, topLayers: 2),
        AdapterSettings(rank: 2, alpha: 3, targets: ["attn.c_proj", "o_proj"], topLayers: 2),
        AdapterSettings(rank: 2, alpha: 3, targets: ["c_fc", "down_proj"], topLayers: 2),
    ]

    /// With adapters in the top blocks alone, gradients there are those with adapters in every block that change
    /// nothing below.
    @Test(arguments: configurations, topLayers)
    func topLayersAreTrainedAlone(configuration: ModelConfiguration, settings: AdapterSettings) throws {
        let base = base(configuration)
        let top = adapted(base, head: .reward, settings)
        var everywhere = settings
        everywhere.topLayers = nil
        let all = base.copy(head: .reward, trainable: .adapters(everywhere), seed: 7)
        let start = all.parameters.count - top.parameters.count
        all.parameters.values.view(at: start, shape: [top.parameters.count]).copy(from: top.parameters.values)
        all.parametersDidChange()
        for model in [top, all] {
            _ = model.forwardRewards(sequences)
            model.backwardRewards([1, -2, 0.5])
        }
        let lowest = configuration.layers - (try #require(settings.topLayers))
        let prefixes = (lowest..<configuration.layers).map(configuration.blockPrefix)
        #expect(top.parameters.entries[0].name.hasPrefix(prefixes[0]))
        #expect(top.parameters.entries.dropLast().allSatisfy { prefixes.contains(where: $0.name.hasPrefix) })
        #expect(top.parameters.entries.last?.name == "score.weight")
        #expect(top.trainableRange == 0..<top.parameters.count)
        #expect(Array(all.parameters.gradients.array()[start...]) == top.parameters.gradients.array())
        #expect(top.parameters.gradients.array().allSatisfy { $0 != 0 })
    }

    /// Models share the trunk, and training one leaves the trunk and the others as they are.
    @Test func oneTrunkServesAll() {
        let base = base(Self.configurations[0])
        let (first, second) = (
            adapted(base, head: .reward, AdapterSettings(rank: 2, alpha: 3)),
            adapted(base, head: .reward, AdapterSettings(rank: 2, alpha: 3))
        )
        let rewards = second.rewards(of: sequences)
        let trunk = base.parameters.values.array()
        scale(first.trainableValues, by: 2)
        first.parametersDidChange()
        #expect(first.rewards(of: sequences) != rewards)
        #expect(second.rewards(of: sequences) == rewards)
        #expect(base.parameters.values.array() == trunk)
        let copy = second.copy(head: .reward, seed: 7)
        #expect(copy.rewards(of: sequences) == rewards)
        scale(base.parameters.values, by: 0.5)
        #expect(second.rewards(of: sequences) != rewards)
    }

    /// What models over one trunk share is computed once, with the rewards of each alone.
    @Test(arguments: configurations, topLayers)
    func modelsScoreTogether(configuration: ModelConfiguration, settings: AdapterSettings) {
        for precision in Self.precisions {
            let base = base(configuration, precision)
            let models = (0..<3).map { group in
                let model = adapted(base, head: .reward, settings)
                scale(model.trainableValues, by: Float(1 + group))
                model.parametersDidChange()
                return model
            }
            let together = rewards(of: sequences, under: models)
            #expect(together == models.map { $0.rewards(of: sequences) })
            #expect(Set(together).count == 3)
        }
    }

    /// Training the head alone, as some starts of the mixture do for a moment, leaves the adapters' gradients.
    @Test func theHeadCanBeTrainedAlone() {
        let settings = AdapterSettings(rank: 2, alpha: 3)
        let model = adapted(base(Self.configurations[0]), head: .reward, settings)
        model.trainable = .head
        #expect(model.trainableRange == model.parameters.headRange)
        _ = model.forwardRewards(sequences)
        model.backwardRewards([1, -2, 0.5])
        let found = model.parameters.gradients.array()
        model.trainable = .adapters(settings)
        #expect(model.trainableRange == 0..<model.parameters.count)
        model.parameters.gradients.fill(0)
        _ = model.forwardRewards(sequences)
        model.backwardRewards([1, -2, 0.5])
        let start = model.parameters.headRange.lowerBound
        #expect(found[..<start].allSatisfy { $0 == 0 })
        #expect(Array(found[start...]) == Array(model.parameters.gradients.array()[start...]))
    }

    @Test func targetsAreNamedAsInPEFT() {
        func adapted(_ targets: [String], _ configuration: ModelConfiguration) -> [String] {
            let settings = AdapterSettings(rank: 1, alpha: 1, targets: targets)
            return configuration.linearLayers.filter(settings.adapts).map(\.name)
        }
        let (gpt2, llama) = (Self.configurations[0], Self.configurations[1])
        #expect(adapted(["c_proj"], gpt2) == ["attn.c_proj", "mlp.c_proj"])
        #expect(adapted(["mlp.c_proj"], gpt2) == ["mlp.c_proj"])
        #expect(adapted(["all-linear"], gpt2) == ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"])
        #expect(adapted(["v_proj", "q_proj"], llama) == ["self_attn.q_proj", "self_attn.v_proj"])
        let settings = AdapterSettings(rank: 1, alpha: 1, targets: ["q_proj", "proj", "c_fc"])
        #expect(settings.unknownTargets(of: llama) == ["proj", "c_fc"])
        let count = TrainableParameters.adapters(AdapterSettings(rank: 2, alpha: 1, targets: ["c_fc"], topLayers: 2))
            .parameterCount(gpt2, head: .reward)
        #expect(count == 2 * 2 * (24 + 96) + 24)
    }

    @Test func adaptersStartAsPEFTStartsThem() {
        let base = base(Self.configurations[0])
        let model = base.copy(head: .none, trainable: .adapters(AdapterSettings(rank: 64, alpha: 1)), seed: 3)
        for entry in model.parameters.entries {
            let values = model.parameters.values.view(at: entry.offset, shape: [entry.count]).array()
            if entry.name.contains("lora_B") {
                #expect(values.allSatisfy { $0 == 0 })
            } else {
                let bound = 1 / Float(entry.shape[1]).squareRoot()
                #expect(values.allSatisfy { abs($0) <= bound } && (values.max() ?? 0) > 0.99 * bound)
                #expect(abs(values.reduce(0, +) / Float(values.count)) < 0.05 * bound)
            }
        }
    }
}

/// Parity with `peft`.
@Suite struct AdapterGoldenTests {
    static let names = ["small", "llama3", "qwen3", "olmo2"]
    static let settings = [
        "small": AdapterSettings(rank: 3, alpha: 7, targets: ["c_attn", "c_proj", "c_fc"]),
        "llama3": AdapterSettings(
            rank: 2,
            alpha: 8,
            targets: ["q_proj", "v_proj", "gate_proj", "down_proj"],
            topLayers: 1
        ),
        "qwen3": AdapterSettings(rank: 3, alpha: 5),
        "olmo2": AdapterSettings(rank: 2, alpha: 6, targets: ["q_proj", "k_proj", "o_proj", "up_proj"]),
    ]

    /// The base of a golden file with the golden adapters.
    private func model(_ name: String, _ head: Head, _ precision: Precision = .float32) throws -> LanguageModel {
        let golden = try goldenValues(goldenFile("\(name)-lora"))
        let settings = try #require(Self.settings[name])
        let model = try GoldenModel(name).model(head: .none, precision: precision)
            .copy(head: head, trainable: .adapters(settings), seed: 1)
        for entry in model.parameters.entries {
            let stored = try #require(golden["adapter.base_model.model.\(entry.name)"])
            model.parameters.values.view(at: entry.offset, shape: [entry.count]).copy(from: stored)
        }
        model.parametersDidChange()
        return model
    }

    @Test(arguments: names) func logits(name: String) throws {
        let golden = try goldenValues(goldenFile("\(name)-lora"))
        let model = try model(name, .none)
        let packed = PackedSequences(try GoldenModel(name).sequences)
        let hidden = model.hiddenRows(
            of: model.trunkForward(packed, rows: Array(0..<Int32(packed.tokens.count)), recorded: false)
        )
        let logits = Tensor(zeros: [packed.tokens.count, model.configuration.vocabularySize])
        multiply(hidden.hidden, transposed: false, model.vocabularyWeight, transposed: true, into: logits)
        #expect(maximalDifference(logits.array(), (0..<4).flatMap { golden["logits.\($0)"] ?? [] }) < 1e-4)
    }

    @Test(arguments: names, [Precision.float32, .bfloat16])
    func lossesRewardsAndEveryGradient(name: String, precision: Precision) throws {
        let golden = try goldenValues(goldenFile("\(name)-lora"))
        let packed = PackedSequences(try GoldenModel(name).sequences)
        let tolerance = precision == .float32 ? 1e-3 : name == "olmo2" ? 0.15 : 0.1
        func check(_ model: LanguageModel, _ loss: Double, _ prefix: String) {
            let expected = Double(golden["\(prefix)loss"]?.first ?? .infinity)
            #expect(abs(loss - expected) < (precision == .float32 ? 1e-4 : max(0.005, 0.02 * expected)))
            for entry in model.parameters.entries {
                let expected = golden["\(prefix)grad.base_model.model.\(entry.name)"] ?? []
                #expect(relativeError(model.gradient(entry.name).array(), expected) < tolerance, "\(entry.name)")
            }
        }
        let policy = try model(name, .none, precision)
        check(policy, nextTokenLoss(policy, packed), "")
        let reward = try model(name, .reward, precision)
        let rewards = reward.rewards(of: packed)
        #expect(relativeError(rewards, golden["rewards"] ?? []) < (precision == .float32 ? 1e-4 : 0.05))
        check(reward, pairLoss(reward, packed), "bt.")
    }
}
