import Randomness
import Tensors
import Testing

@testable import LanguageModels

/// The predicted bytes of passes are those of the buffers that passes ask for.
@Suite struct ActivationMemoryTests {
    static let llama = ModelConfiguration(
        vocabularySize: 64,
        positions: 64,
        width: 32,
        layers: 4,
        heads: 4,
        innerWidth: 96,
        family: .llama(LlamaShape(keyValueHeads: 2, headWidth: 8))
    )
    static let qwen3 = normed(.qwen3)
    static let olmo2 = normed(.olmo2)

    private static func normed(_ member: LlamaShape.Member) -> ModelConfiguration {
        var shape = llama
        shape.family = .llama(LlamaShape(member: member, keyValueHeads: 2, headWidth: 8))
        return shape
    }

    static let gpt2 = ModelConfiguration(vocabularySize: 64, positions: 64, width: 32, layers: 4, heads: 4)
    static let precisions: [Precision] = [.float32, .bfloat16]

    /// Bytes of all memory of passes.
    private func bytes(_ value: Any) -> Int {
        if let tensor = value as? Tensor { return tensor.count * tensor.elementType.size }
        // What a backward pass needs to know are views of the same memory.
        if value is Recording? { return 0 }
        return Mirror(reflecting: value).children.reduce(0) { $0 + bytes($1.value) }
    }

    private let sequences = PackedSequences((0..<4).map { start in (0..<16).map { Int32((start * 7 + $0) % 64) } })

    @Test(arguments: [gpt2, llama, qwen3, olmo2], precisions)
    func aRecordedPassTakesWhatWasPredicted(shape: ModelConfiguration, precision: Precision) {
        let memory = ActivationMemory(shape, precision)
        for checkpointing in [false, true] {
            let model = LanguageModel(shape, head: .none, precision: precision, seed: 1)
            model.checkpointsActivations = checkpointing
            // Responses of half of each sequence.
            let rows = (0..<4).flatMap { sequence in (7..<15).map { Int32(16 * sequence + $0) } }
            let scores = model.forwardTokenScores(sequences, rows: rows, temperature: 1)
            model.backwardTokenScores(
                dLogProbabilities: scores.logProbabilities.map { _ in 1 },
                dValues: []
            )
            let predicted =
                memory.shared(tokens: 64) + (checkpointing ? memory.inference(tokens: 64) : 0)
                + memory.recorded(tokens: 64, read: 32, blocks: 4, checkpointing: checkpointing)
                + memory.backward(tokens: 64, read: 32) + memory.rows(32, recorded: true)
                + memory.logits(rows: 32, recorded: true)
            let actual = bytes(model.workspace)
            #expect(abs(actual - predicted) <= predicted / 20, "\(actual), predicted \(predicted)")
        }
    }

    @Test(arguments: [gpt2, llama, qwen3, olmo2], precisions)
    func samplingTakesWhatWasPredicted(shape: ModelConfiguration, precision: Precision) {
        let memory = ActivationMemory(shape, precision)
        let model = LanguageModel(shape, head: .none, precision: precision, seed: 1)
        let prompts = (0..<8).map { prompt in (0..<16).map { Int32(($0 * 3 + prompt) % 64) } }
        _ = model.sample(
            prompts: prompts,
            options: SamplingOptions(maxNewTokens: 16, stop: nil),
            streams: prompts.indices.map { .init(seed: 1, purpose: .sampling, item: $0) }
        )
        let predicted =
            memory.inference(tokens: 128) + memory.shared(tokens: 128) + 8 * (16 + 15) * memory.cachedToken
            + memory.sampledLogits(sequences: 8)
            + memory.rows(8, recorded: false)
        let actual = bytes(model.workspace)
        #expect(abs(actual - predicted) <= predicted / 20, "\(actual), predicted \(predicted)")
    }

    @Test(arguments: [gpt2, llama, qwen3, olmo2], precisions)
    func modelsOverOneTrunkTakeWhatWasPredicted(shape: ModelConfiguration, precision: Precision) {
        let memory = ActivationMemory(shape, precision)
        let base = LanguageModel(shape, head: .none, precision: precision, seed: 1)
        let adapters = AdapterSettings(rank: 2, alpha: 2, topLayers: 2)
        let models = (0..<3).map { base.copy(head: .reward, trainable: .adapters(adapters), seed: UInt64($0)) }
        _ = rewards(of: sequences, under: models)
        let predicted =
            memory.inference(tokens: 64) + memory.shared(tokens: 64) + memory.rows(4, recorded: false)
            + 64 * (memory.trunkState + memory.sharedQKV)
            + memory.adapters(adapters, tokens: 64, sampling: false)
        let actual = bytes(models[0].workspace)
        #expect(models.allSatisfy { $0.workspace === models[0].workspace })
        #expect(abs(actual - predicted) <= predicted / 20, "\(actual), predicted \(predicted)")
    }

    /// A model that scores, and copies of it, hold no gradients, and one memory of passes.
    @Test func whatIsNotTrainedHasNoGradients() {
        let model = LanguageModel(Self.gpt2, head: .none, precision: .float32, seed: 1)
        let copies = (0..<3).map { model.copy(head: .reward, seed: UInt64($0)) }
        for copy in copies { _ = copy.rewards(of: sequences) }
        #expect(copies.allSatisfy { $0.workspace === model.workspace })
        let heads = (0..<3).map { model.copy(head: .reward, trainable: .head, seed: UInt64($0)) }
        #expect(heads.allSatisfy { $0.parameters.count == Self.gpt2.width })
        for (copy, head) in zip(copies, heads) {
            #expect(copy.rewards(of: sequences) == head.rewards(of: sequences))
        }
    }
}
