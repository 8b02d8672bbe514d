import Failures
import Foundation
import LanguageModels
import StrictJSON
import Tensors
import Testing

@testable import ModelFiles

/// Directories of Llama, Mistral and Qwen2 models; what all families share is tested in `ModelDirectoryTests`.
@Suite struct LlamaDirectoryTests {
    let folder: TemporaryFolder

    static let shapes = [
        LlamaShape(keyValueHeads: 2, headWidth: 2),
        LlamaShape(
            keyValueHeads: 4,
            headWidth: 6,
            rotary: RotaryPositions(theta: 5e5, scaling: .linear(factor: 2.5)),
            attentionBias: .all,
            tiesEmbeddings: true
        ),
        LlamaShape(
            member: .mistral,
            keyValueHeads: 1,
            headWidth: 2,
            rotary: RotaryPositions(
                scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 64)
            ),
            slidingWindow: 9
        ),
        LlamaShape(member: .qwen2, keyValueHeads: 2, headWidth: 2, attentionBias: .inputs, tiesEmbeddings: true),
        LlamaShape(member: .qwen2, keyValueHeads: 2, headWidth: 2, attentionBias: .inputs, slidingWindow: 5),
        LlamaShape(member: .qwen3, keyValueHeads: 2, headWidth: 6, tiesEmbeddings: true),
        LlamaShape(member: .qwen3, keyValueHeads: 4, headWidth: 2, attentionBias: .all, slidingWindow: 5),
        LlamaShape(member: .olmo2, keyValueHeads: 1, headWidth: 2, rotary: RotaryPositions(theta: 5e5)),
    ]

    init() throws {
        folder = try TemporaryFolder()
    }

    private func model(_ shape: LlamaShape, _ head: Head = .none) -> LanguageModel {
        let configuration = ModelConfiguration(
            vocabularySize: 19,
            positions: 12,
            width: 8,
            layers: 2,
            heads: 4,
            innerWidth: 10,
            normEpsilon: 1e-6,
            endOfText: 18,
            family: .llama(shape)
        )
        return LanguageModel(configuration, head: head, precision: .float32, seed: 3)
    }

    private func load(_ head: Head? = nil) throws -> LanguageModel {
        try ModelDirectory.load(folder.path, precision: .float32, head: head).model
    }

    @Test(arguments: shapes, [Head.none, .reward, .value]) func savedModelsLoad(shape: LlamaShape, head: Head) throws {
        let saved = model(shape, head)
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil, keepsValueHead: true)
        let loaded = try load(head)
        #expect(loaded.configuration == saved.configuration)
        #expect(loaded.parameters.entries == saved.parameters.entries)
        #expect(loaded.parameters.values.array() == saved.parameters.values.array())
        #expect(try ModelDirectory.isRewardModel(folder.path) == (head == .reward))
    }

    @Test func rewardModelsOfLanguageModelsLeaveTheVocabularyMatrix() throws {
        let saved = model(Self.shapes[0])
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        #expect(
            try load(.reward).parameters.values.array() == saved.copy(head: .reward, seed: 0).parameters.values.array()
        )
    }

    /// Old files hold buffers; files of the bare trunk lack its prefix; a tied matrix may be written twice.
    @Test func otherWritersFilesLoad() throws {
        let saved = model(Self.shapes[1])
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        let values = saved.parameters.values.array()
        var stored = saved.parameters.entries.map {
            (name: $0.name.replacing("model.", with: ""), shape: $0.shape, values: Array(values[$0.range]))
        }
        stored.append((name: "layers.0.self_attn.rotary_emb.inv_freq", shape: [3], values: [1, 2, 3]))
        stored.append((name: "lm_head.weight", shape: [19, 8], values: stored[0].values))
        let all = stored.flatMap(\.values)
        try writeSafetensors(
            stored.map { ($0.name, $0.shape) },
            values: Tensor(all, shape: [all.count]),
            to: folder.path + "/model.safetensors"
        )
        #expect(try load().parameters.values.array() == values)
    }

    private func edit(_ change: (inout JSONObject) -> Void) throws {
        let path = folder.path + "/config.json"
        var object = try #require(try JSONValue(contentsOfFile: path).object)
        change(&object)
        try folder.write("config.json", JSONValue.object(object).encoded())
    }

    @Test func configurationsThatWeDoNotComputeAreRefused() throws {
        let saved = model(Self.shapes[0])
        let cases: [(key: String, value: JSONValue?)] = [
            ("hidden_size", 0), ("hidden_size", "8"), ("hidden_size", nil), ("num_attention_heads", 0),
            ("num_key_value_heads", 3), ("head_dim", 3), ("head_dim", 0), ("num_hidden_layers", 1_000_000),
            ("max_position_embeddings", .integer(1 << 31)), ("intermediate_size", nil), ("rms_norm_eps", 0),
            ("rms_norm_eps", "small"), ("rope_theta", -1), ("rope_theta", 0), ("hidden_act", "gelu"),
            ("model_type", "gemma"), ("mlp_bias", true), ("vocab_size", 0), ("eos_token_id", 19),
            ("eos_token_id", [1, 19]), ("tie_word_embeddings", 1), ("quantization_config", ["bits": 4]),
            ("auto_map", ["a": "b"]), ("rope_scaling", ["rope_type": "yarn", "factor": 2]),
            ("rope_scaling", ["type": "dynamic", "factor": 2]), ("rope_scaling", ["rope_type": "linear"]),
            ("rope_scaling", ["rope_type": "linear", "factor": -1]),
            ("rope_scaling", ["rope_type": "llama3", "factor": 2]),
            ("rope_scaling", 2),
        ]
        for (key, value) in cases {
            try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
            try edit { $0[key] = value }
            let error = failure { try load() }
            #expect(error?.code == .configuration, "\(key): \(error?.description ?? "accepted")")
            #expect(error?.message.contains(key) == true, "\(key): \(error?.description ?? "accepted")")
        }
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        try edit {
            $0["head_dim"] = nil
            $0["num_attention_heads"] = 3
            $0["num_key_value_heads"] = 3
        }
        #expect(failure { try load() }?.message.contains("num_attention_heads") == true)
    }

    /// The spellings of other versions of `transformers`.
    @Test func spellings() throws {
        let shape = Self.shapes[0]
        try ModelDirectory.save(model(shape), to: folder.path, tokenizerFrom: nil)
        func rotary() throws -> RotaryPositions? { try ModelDirectory.configuration(folder.path).llama?.rotary }
        try edit {
            $0["rope_scaling"] = nil
            $0["rope_theta"] = nil
        }
        #expect(try rotary() == RotaryPositions())
        try edit { $0["rope_scaling"] = ["type": "linear", "factor": 4.0] }
        #expect(try rotary() == RotaryPositions(scaling: .linear(factor: 4)))
        try edit { $0["rope_parameters"] = ["rope_type": "default", "rope_theta": 5e5] }
        #expect(try rotary() == RotaryPositions(theta: 5e5))
        try edit {
            $0["num_key_value_heads"] = nil
            $0["eos_token_id"] = [7, 8]
        }
        let configuration = try ModelDirectory.configuration(folder.path)
        #expect(configuration.keyValueHeads == 4)
        #expect(configuration.endOfText == 7)
    }

    @Test func tensorsThatDoNotFitAreListed() throws {
        try ModelDirectory.save(model(Self.shapes[0]), to: folder.path, tokenizerFrom: nil)
        try edit { $0["attention_bias"] = true }
        let error = failure { try load() }
        #expect(error?.code == .badData)
        #expect(error?.message.contains("'model.layers.0.self_attn.q_proj.bias' is missing") == true)
        try edit {
            $0["attention_bias"] = false
            $0["vocab_size"] = 20
        }
        #expect(failure { try load() }?.message == "config.json says vocab_size 20, but the embedding has 19 rows")
    }

    /// Hugging Face states these.
    @Test func presetsHaveTheirKnownSizes() {
        let sizes = [
            "llama-160m": 162_417_408, "tinyllama-1.1b": 1_100_048_384, "tulu2-7b": 6_738_415_616,
            "smollm2-135m": 134_515_008, "llama-3.2-1b": 1_235_814_400, "qwen3-0.6b": 596_049_920,
            "olmo2-1b": 1_484_916_736,
        ]
        for (name, size) in sizes {
            #expect(ModelPreset.named(name)?.parameterCount(head: .none) == size, "\(name)")
        }
    }
}
