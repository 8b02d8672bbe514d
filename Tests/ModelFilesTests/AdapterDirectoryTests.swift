import Failures
import Foundation
import LanguageModels
import Randomness
import StrictJSON
import Tensors
import TestSupport
import Testing

@testable import ModelFiles

/// PEFT directories, read and written, and merged into their base.
@Suite struct AdapterDirectoryTests {
    let folder: TemporaryFolder
    static let configurations = Array(FrozenTests.configurations.prefix(2))
    private let sequences = PackedSequences([[1, 2, 3, 4, 5, 6, 7], [8], [9, 10, 11, 12, 13, 14, 15, 16, 17, 18]])
    private let rows: [Int32] = [0, 1, 4, 8, 12, 16]

    init() throws {
        folder = try TemporaryFolder()
    }

    private var base: String { folder.path + "/base" }
    private var adapter: String { folder.path + "/adapter" }

    /// A base in a directory, of the given type, as it is in memory.
    private func makeBase(_ configuration: ModelConfiguration, _ type: StoredType = .float32) throws -> LanguageModel {
        let model = LanguageModel(configuration, head: .none, precision: .float32, seed: 3)
        scale(model.parameters.values, by: 9)
        try ModelDirectory.save(model, to: base, tokenizerFrom: nil)
        let entries = model.parameters.entries
        let values = model.parameters.values.array()
        try writeSafetensors(entries.map { ($0.name, $0.shape) }, type, to: base + "/model.safetensors") {
            tensor,
            range in
            Array(values[entries[tensor].range].dropFirst(range.lowerBound).prefix(range.count))
        }
        return try ModelDirectory.load(base, precision: .float32).model
    }

    /// Adapters that are far from zero.
    private func adapt(_ base: LanguageModel, _ head: Head, topLayers: Int? = nil) -> LanguageModel {
        let settings = AdapterSettings(rank: 2, alpha: 3, topLayers: topLayers, dropout: 0.25)
        let model = base.copy(head: head, trainable: .adapters(settings), seed: 7)
        var random = CounterRandom(seed: 5, purpose: .test)
        for i in 0..<model.parameters.count { model.parameters.values[i] = Float(0.3 * random.normal()) }
        model.parametersDidChange()
        return model
    }

    private func expectSame(_ a: LanguageModel, _ b: LanguageModel, within tolerance: Float = 0) {
        if a.head == .reward {
            #expect(maximalDifference(a.rewards(of: sequences), b.rewards(of: sequences)) <= tolerance)
        } else {
            let scores = [a, b].map { $0.tokenScores(of: sequences, rows: rows, temperature: 1).logProbabilities }
            #expect(maximalDifference(scores[0], scores[1]) <= tolerance)
        }
    }

    @Test(arguments: configurations, [Head.none, .reward])
    func whatIsWrittenIsRead(configuration: ModelConfiguration, head: Head) throws {
        let base = try makeBase(configuration)
        for topLayers in [nil, 1] {
            let model = adapt(base, head, topLayers: topLayers)
            try AdapterDirectory.save(model, to: adapter, base: self.base, tokenizerFrom: nil)
            #expect(AdapterDirectory.isAdapter(adapter) && !AdapterDirectory.isAdapter(self.base))
            let loaded = try AdapterDirectory.load(adapter, over: base, head: head)
            #expect(loaded.parameters.values.array() == model.parameters.values.array())
            #expect(loaded.parameters.entries == model.parameters.entries)
            #expect(loaded.adapters?.topLayers == topLayers && loaded.adapters?.alpha == 3)
            #expect(loaded.adapters?.dropout == 0.25)
            expectSame(loaded, model)
            let opened = try ModelDirectory.open(self.base, precision: .float32).model
            expectSame(try AdapterDirectory.load(adapter, over: opened), model)
            let summary = try AdapterDirectory.summary(adapter)
            #expect(summary.parameters == model.parameters.count && summary.base == self.base)
            #expect(summary.blocks == topLayers.map { _ in [1] } && summary.isRewardModel == (head == .reward))
        }
    }

    /// A value head is the trainer's own; a saved policy has none.
    @Test func valueHeadsAreLeftOut() throws {
        let base = try makeBase(Self.configurations[0])
        let model = adapt(base, .value)
        try AdapterDirectory.save(model, to: adapter, base: self.base, tokenizerFrom: nil)
        let loaded = try AdapterDirectory.load(adapter, over: base, head: Head.none)
        #expect(loaded.parameters.count == model.parameters.headRange.lowerBound)
        expectSame(loaded, model)
    }

    /// What `peft` itself wrote, with the rewards that it computed.
    @Test(arguments: ["small", "llama3", "qwen3", "olmo2"]) func whatPEFTWroteIsRead(name: String) throws {
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/LanguageModels").path
        let golden = try SafetensorsFile(path: "\(fixtures)/\(name).golden")
        let adapters = try SafetensorsFile(path: "\(fixtures)/\(name)-lora.golden")
        func values(_ stored: StoredTensor, _ file: borrowing SafetensorsFile) throws -> Tensor {
            let tensor = Tensor(zeros: stored.shape)
            try file.read(stored, into: tensor)
            return tensor
        }
        let config = golden.header.metadata.first { $0.key == "config.json" }?.value
        var configuration = ModelConfiguration(vocabularySize: 50, positions: 24, width: 16, layers: 2, heads: 2)
        if let config {
            try folder.write("config.json", config)
            configuration = try ModelDirectory.configuration(folder.path)
        }
        let base = LanguageModel(configuration, head: .none, precision: .float32)
        for entry in base.parameters.entries {
            let stored = try #require(golden.header.tensors.first { $0.name == "weight.\(entry.name)" })
            base.parameters.values.view(at: entry.offset, shape: entry.shape).copy(from: try values(stored, golden))
        }
        let text = try #require(adapters.header.metadata.first { $0.key == "adapter_config.json" }?.value)
        try folder.write("adapter_config.json", text)
        let tensors = adapters.header.tensors.filter { $0.name.hasPrefix("adapter.") }
        let flat = Tensor(
            try tensors.flatMap { try values($0, adapters).array() },
            shape: [tensors.reduce(0) { $0 + $1.bytes.count / 4 }]
        )
        try writeSafetensors(
            tensors.map { (String($0.name.dropFirst("adapter.".count)), $0.shape) },
            values: flat,
            to: folder.path + "/adapter_model.safetensors"
        )
        let model = try AdapterDirectory.load(folder.path, over: base, head: .reward)
        let sequences = try (0..<4).map { i in
            let stored = try #require(golden.header.tensors.first { $0.name == "sequence.\(i)" })
            return try values(stored, golden).array().map { Int32($0) }
        }
        let rewards = try #require(adapters.header.tensors.first { $0.name == "rewards" })
        let expected = try values(rewards, adapters).array()
        #expect(maximalDifference(model.rewards(of: PackedSequences(sequences)), expected) < 1e-4)
    }

    /// One line with file, key and remedy for whatever is no plain LoRA of this base.
    @Test(arguments: [
        ("peft_type", "\"IA3\"", "is 'IA3'; supported: LORA"),
        ("use_dora", "true", "is true, which is not supported; merge the adapter with peft instead"),
        ("use_rslora", "true", "is true, which is not supported; merge the adapter with peft instead"),
        (
            "rank_pattern", "{\"q_proj\": 4}",
            "is {\"q_proj\": 4}, which is not supported; merge the adapter with peft instead"
        ),
        ("bias", "\"all\"", "is 'all'; supported: none"),
        ("init_lora_weights", "\"pissa\"", "is 'pissa', which changes the base; convert it to plain LoRA"),
        ("modules_to_save", "[\"lm_head\"]", "has \"lm_head\"; only a reward head, score, is supported"),
        ("r", "0", "must be in 1...65536, found 0"),
        (
            "target_modules", "[\"q_proj\"]",
            "has 'q_proj', which is no linear layer of a block of this base: attn.c_attn, attn.c_proj, mlp.c_fc, "
                + "mlp.c_proj"
        ),
        ("layers_to_transform", "[0]", "is [0] of 2 blocks; only the last ones, of any number, are supported"),
    ])
    func whatIsNotSupportedIsRefused(key: String, value: String, reason: String) throws {
        let base = try makeBase(Self.configurations[0])
        try AdapterDirectory.save(adapt(base, .none), to: adapter, base: self.base, tokenizerFrom: nil)
        let path = adapter + "/adapter_config.json"
        var object = try #require(try JSONValue(contentsOfFile: path).object)
        object[key] = try JSONValue(parsing: Array(value.utf8), at: "value")
        try folder.write("adapter/adapter_config.json", JSONValue.object(object).encoded())
        let error = failure { try AdapterDirectory.load(adapter, over: base).head }
        #expect(error == Failure(.configuration, "'\(key)' \(reason)", at: path))
    }

    @Test func tensorsMustFit() throws {
        let base = try makeBase(Self.configurations[0])
        let model = adapt(base, .reward)
        try AdapterDirectory.save(model, to: adapter, base: self.base, tokenizerFrom: nil)
        #expect(
            failure { try AdapterDirectory.load(adapter, over: base, head: Head.none).head }?.code == .configuration
        )
        let path = adapter + "/adapter_config.json"
        var object = try #require(try JSONValue(contentsOfFile: path).object)
        object["r"] = 3
        try folder.write("adapter/adapter_config.json", JSONValue.object(object).encoded())
        let shapes = failure { try AdapterDirectory.load(adapter, over: base).head }
        #expect(shapes?.code == .badData)
        #expect(shapes?.location == adapter + "/adapter_model.safetensors")
        let first = "'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight' is [2, 8], expected [3, 8]"
        #expect(shapes?.message.contains(first) == true)
        object["r"] = 2
        object["target_modules"] = ["c_fc"]
        try folder.write("adapter/adapter_config.json", JSONValue.object(object).encoded())
        let extra = failure { try AdapterDirectory.load(adapter, over: base).head }?.message ?? ""
        #expect(extra.contains("'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight' belongs to no adapter"))
        try AdapterDirectory.save(model, to: adapter, base: self.base, tokenizerFrom: nil)
        model.parameters.values[0] = .nan
        try AdapterDirectory.save(model, to: adapter, base: self.base, tokenizerFrom: nil)
        #expect(failure { try AdapterDirectory.load(adapter, over: base).head }?.code == .internalError)
        #expect(failure { try AdapterDirectory.summary(adapter).rank }?.code == .internalError)
    }

    /// The merged model computes what base and adapter do, and has the base's type.
    @Test(arguments: configurations, [Head.none, .reward])
    func mergedModelsAreTheAdaptedOnes(configuration: ModelConfiguration, head: Head) throws {
        for type in [StoredType.float32, .bfloat16] {
            let model = adapt(try makeBase(configuration, type), head, topLayers: 1)
            try AdapterDirectory.save(model, to: adapter, base: base, tokenizerFrom: nil)
            let out = "\(folder.path)/merged-\(type.rawValue)"
            let count = try ModelDirectory.writeMerged(adapter: adapter, base: base, to: out)
            #expect(count == configuration.parameterCount(head: head))
            let merged = try ModelDirectory.load(out, precision: .float32).model
            #expect(merged.head == head && merged.configuration == configuration)
            expectSame(merged, model, within: type == .float32 ? 1e-4 : 0.3)
            let file = try SafetensorsFile(path: out + "/model.safetensors")
            #expect(file.header.tensors.allSatisfy { $0.type == type })
        }
    }
}
