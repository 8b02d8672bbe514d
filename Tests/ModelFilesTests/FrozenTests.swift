import Failures
import Foundation
import LanguageModels
import Randomness
import StrictJSON
import Tensors
import TestSupport
import Testing

@testable import ModelFiles

/// Models opened in place, and models written without being held.
@Suite struct FrozenTests {
    let folder: TemporaryFolder

    static let configurations = [
        ModelConfiguration(vocabularySize: 19, positions: 12, width: 8, layers: 2, heads: 2, innerWidth: 12),
        ModelConfiguration(
            vocabularySize: 19,
            positions: 12,
            width: 8,
            layers: 2,
            heads: 4,
            innerWidth: 10,
            family: .llama(LlamaShape(member: .qwen2, keyValueHeads: 2, headWidth: 2, attentionBias: .inputs))
        ),
        ModelConfiguration(
            vocabularySize: 19,
            positions: 12,
            width: 8,
            layers: 1,
            heads: 2,
            innerWidth: 10,
            family: .llama(LlamaShape(keyValueHeads: 2, headWidth: 4, tiesEmbeddings: true))
        ),
    ]
    static let precisions: [Precision] = [.float32, .bfloat16]

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Writes a random model whose tensors have the given type.
    private func write(_ configuration: ModelConfiguration, _ type: StoredType, head: Head = .none) throws {
        let model = LanguageModel(configuration, head: head, precision: .float32, seed: 3)
        scale(model.parameters.values, by: 9)
        try ModelDirectory.save(model, to: folder.path, tokenizerFrom: nil)
        let entries = model.parameters.entries
        let values = model.parameters.values.array()
        guard type != .float16 else { return try writeFloat16(entries, values) }
        try writeSafetensors(entries.map { ($0.name, $0.shape) }, type, to: folder.path + "/model.safetensors") {
            tensor,
            range in Array(values[entries[tensor].range].dropFirst(range.lowerBound).prefix(range.count))
        }
    }

    /// As other programs write fp16; ours do not.
    private func writeFloat16(_ entries: [Parameters.Entry], _ values: [Float]) throws {
        var header = JSONObject()
        for entry in entries {
            header[entry.name] = [
                "dtype": "F16", "shape": .array(entry.shape.map(JSONValue.integer)),
                "data_offsets": [.integer(2 * entry.range.lowerBound), .integer(2 * entry.range.upperBound)],
            ]
        }
        var text = Array(JSONValue.object(header).encoded().utf8)
        text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        let halves = values.map { Float16($0).bitPattern }
        let data = halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        try Data(length + text + data).write(to: URL(fileURLWithPath: folder.path + "/model.safetensors"))
    }

    private func open(_ precision: Precision = .float32, head: Head? = nil) throws -> LanguageModel {
        try ModelDirectory.open(folder.path, precision: precision, head: head, seed: 5).model
    }

    private let sequences = PackedSequences([[1, 2, 3, 4, 5, 6, 7], [8], [9, 10, 11, 12, 13, 14, 15, 16, 17, 18]])
    private let rows: [Int32] = [0, 1, 4, 8, 12, 16]

    /// In place or loaded, the same bits: scores, samples and rewards, whatever the types of file and products.
    @Test(arguments: configurations, [StoredType.float32, .bfloat16])
    func openedIsLoaded(configuration: ModelConfiguration, type: StoredType) throws {
        try write(configuration, type)
        for precision in Self.precisions {
            let opened = try open(precision)
            let loaded = try ModelDirectory.load(folder.path, precision: precision).model
            let scores = opened.tokenScores(of: sequences, rows: rows, temperature: 1)
            #expect(scores == loaded.tokenScores(of: sequences, rows: rows, temperature: 1))
            #expect(scores.logProbabilities.allSatisfy { $0 < 0 })
            let options = SamplingOptions(maxNewTokens: 8, stop: nil)
            let streams = (0..<2).map { CounterRandom(seed: 8, purpose: .sampling, item: $0) }
            let prompts: [[Int32]] = [[1, 2], [3]]
            #expect(
                opened.sample(prompts: prompts, options: options, streams: streams)
                    == loaded.sample(prompts: prompts, options: options, streams: streams)
            )
            let (reward, expected) = (try open(precision, head: .reward), loaded.copy(head: .reward, seed: 5))
            #expect(reward.rewards(of: sequences) == expected.rewards(of: sequences))
        }
    }

    /// fp16 is read in place whatever operands are: with fp32 ones the bits of a loaded model, with bf16 ones close to
    /// it.
    @Test(arguments: configurations) func float16IsUsedInPlace(configuration: ModelConfiguration) throws {
        try write(configuration, .float16)
        let loaded = try ModelDirectory.load(folder.path, precision: .float32).model
        let expected = loaded.tokenScores(of: sequences, rows: rows, temperature: 1)
        #expect(try open().tokenScores(of: sequences, rows: rows, temperature: 1) == expected)
        let opened = try open(.bfloat16)
        let found = opened.tokenScores(of: sequences, rows: rows, temperature: 1)
        #expect(relativeError(found.logProbabilities, expected.logProbabilities) < 0.05)
        let options = SamplingOptions(maxNewTokens: 8, stop: nil)
        let streams = [CounterRandom(seed: 8, purpose: .sampling, item: 0)]
        let samples = try [open(), loaded].map { $0.sample(prompts: [[1, 2]], options: options, streams: streams)[0] }
        #expect(samples[0].tokens == samples[1].tokens)
        #expect(maximalDifference(samples[0].logProbabilities, samples[1].logProbabilities) < 1e-4)
        let head = opened.copy(head: .reward, trainable: .adapters(AdapterSettings(rank: 2, alpha: 4)), seed: 5)
        _ = head.forwardRewards(sequences)
        head.backwardRewards([1, -2, 0.5])
        #expect(head.trainableGradients.array().contains { $0 != 0 })
        let plan = FrozenBytes(configuration, head: .none, stored: .float16, precision: .bfloat16)
        let other = FrozenBytes(configuration, head: .none, stored: .bfloat16, precision: .float32)
        #expect(plan.mapped > 0 && plan == other)
    }

    /// What the file holds is what the model reads: a byte changed afterwards changes the scores.
    @Test func weightsAreUsedInPlace() throws {
        try write(Self.configurations[1], .float32)
        let model = try open()
        let before = model.tokenScores(of: sequences, rows: rows, temperature: 1)
        let path = folder.path + "/model.safetensors"
        let file = try SafetensorsFile(path: path)
        let gate = try #require(file.header.tensors.first { $0.name == "model.layers.0.mlp.gate_proj.weight" })
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        let dataStart = size - (file.header.tensors.last?.bytes.upperBound ?? 0)
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: UInt64(dataStart + gate.bytes.lowerBound))
        try handle.write(contentsOf: Data([0, 0, 0x80, 0x40]))  // 4.0
        try handle.close()
        #expect(model.tokenScores(of: sequences, rows: rows, temperature: 1) != before)
    }

    @Test(arguments: configurations) func headsAreTrainedOverAFrozenTrunk(configuration: ModelConfiguration) throws {
        try write(configuration, .float32)
        let frozen = try open(head: .reward)
        let full = try ModelDirectory.load(folder.path, precision: .float32, head: .reward, seed: 5).model
        full.trainable = .head
        for model in [frozen, full] {
            _ = model.forwardRewards(sequences)
            model.backwardRewards([1, -2, 0.5])
        }
        #expect(frozen.parameters.entries.map(\.name) == ["score.weight"])
        #expect(frozen.trainableRange == 0..<8)
        #expect(frozen.trainableGradients.array() == full.trainableGradients.array())
        #expect(frozen.trainableGradients.array().contains { $0 != 0 })
        // A change of the head is seen, and another model over the same trunk has a head of its own.
        let other = frozen.copy(head: .reward, seed: 5)
        let before = other.rewards(of: sequences)
        #expect(frozen.rewards(of: sequences) == before)
        scale(frozen.parameters.values, by: 2)
        frozen.parametersDidChange()
        #expect(maximalDifference(frozen.rewards(of: sequences), before.map { 2 * $0 }) < 1e-4)
        #expect(other.rewards(of: sequences) == before)
    }

    @Test func rewardModelsOpenWithTheirHead() throws {
        try write(Self.configurations[0], .float32, head: .reward)
        let opened = try open()
        let loaded = try ModelDirectory.load(folder.path, precision: .float32).model
        #expect(opened.head == .reward)
        #expect(opened.rewards(of: sequences) == loaded.rewards(of: sequences))
        #expect(failure { try open(head: Head.none) }?.code == .configuration)
    }

    @Test func shardsAreOpened() throws {
        let configuration = Self.configurations[1]
        try write(configuration, .bfloat16)
        let whole = try open(Self.precisions.last ?? .float32).tokenScores(of: sequences, rows: rows, temperature: 1)
        let model = try ModelDirectory.load(folder.path, precision: .float32).model
        try FileManager.default.removeItem(atPath: folder.path + "/model.safetensors")
        let values = model.parameters.values.array()
        var map = JSONObject()
        for (shard, range) in [0..<5, 5..<model.parameters.entries.count].enumerated() {
            let entries = Array(model.parameters.entries[range])
            let name = "model-\(shard).safetensors"
            for entry in entries { map[entry.name] = .string(name) }
            try writeSafetensors(entries.map { ($0.name, $0.shape) }, .bfloat16, to: "\(folder.path)/\(name)") {
                tensor,
                range in Array(values[entries[tensor].range].dropFirst(range.lowerBound).prefix(range.count))
            }
        }
        let index: JSONValue = ["weight_map": .object(map)]
        try folder.write("model.safetensors.index.json", index.encoded())
        let opened = try open(Self.precisions.last ?? .float32)
        #expect(opened.tokenScores(of: sequences, rows: rows, temperature: 1) == whole)
    }

    @Test func filesThatDoNotFitAreRefusedAsWhenLoaded() throws {
        try write(Self.configurations[1], .float32)
        let path = folder.path + "/config.json"
        var object = try #require(try JSONValue(contentsOfFile: path).object)
        object["intermediate_size"] = 11
        try folder.write("config.json", JSONValue.object(object).encoded())
        let error = failure { try open() }
        #expect(error?.code == .badData)
        #expect(error == failure { try ModelDirectory.load(folder.path, precision: .float32).model })
    }

    /// All of a model is checked without being held: the same verdicts as of loading it.
    @Test(arguments: [StoredType.float32, .bfloat16]) func modelsAreVerified(type: StoredType) throws {
        let configuration = Self.configurations[1]
        try write(configuration, type)
        let found = try ModelDirectory.verify(folder.path)
        #expect(found.parameters == configuration.parameterCount(head: .none))
        #expect(found.warnings.isEmpty)
        let model = try ModelDirectory.load(folder.path, precision: .float32).model
        model.parameters.values[model.parameters.count - 3] = .infinity
        try ModelDirectory.save(model, to: folder.path, tokenizerFrom: nil)
        let error = failure { try ModelDirectory.verify(folder.path) }
        #expect(error?.code == .internalError)
        #expect(error?.message == "tensor 'lm_head.weight' has 1 NaN or infinite values")
        #expect(error == failure { try ModelDirectory.load(folder.path, precision: .float32).model })
    }

    /// Written as they are drawn, the weights are those of the model in memory; 20,000 × 64 elements are more than one
    /// buffer.
    @Test(arguments: [0, 1]) func randomModelsAreWrittenAsTheyAreDrawn(kind: Int) throws {
        var configuration = Self.configurations[kind]
        configuration.vocabularySize = 20_000
        configuration.width = 64
        let count = try ModelDirectory.writeRandom(configuration, seed: 7, to: folder.path, tokenizerFrom: nil)
        let expected = LanguageModel(configuration, head: .none, precision: .float32, seed: 7).parameters
        #expect(count == expected.count)
        let loaded = try ModelDirectory.load(folder.path, precision: .float32).model
        #expect(loaded.configuration == configuration)
        if kind == 0 {
            #expect(loaded.parameters.values.array() == expected.values.array())
        } else {
            let rounded = Tensor(zeros: [count], .bfloat16)
            rounded.copy(from: expected.values)
            #expect(loaded.parameters.values.array() == rounded.array())
        }
    }
}
