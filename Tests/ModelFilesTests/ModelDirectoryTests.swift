import Failures
import Foundation
import LanguageModels
import StrictJSON
import Tensors
import Testing

@testable import ModelFiles

@Suite struct ModelDirectoryTests {
    let folder: TemporaryFolder
    let configuration = ModelConfiguration(
        vocabularySize: 19,
        positions: 12,
        width: 8,
        layers: 2,
        heads: 2,
        innerWidth: 12,
        normEpsilon: 1e-6,
        endOfText: 18
    )

    init() throws {
        folder = try TemporaryFolder()
    }

    private func model(_ head: Head) -> LanguageModel {
        LanguageModel(configuration, head: head, precision: .float32, seed: 3)
    }

    private func load(_ head: Head? = nil, seed: UInt64 = 0) throws -> LanguageModel {
        try ModelDirectory.load(folder.path, precision: .float32, head: head, seed: seed).model
    }

    @Test(arguments: [Head.none, .reward, .value]) func savedModelsLoad(head: Head) throws {
        let saved = model(head)
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil, keepsValueHead: true)
        let loaded = try load(head)
        #expect(loaded.configuration == configuration)
        #expect(loaded.parameters.entries == saved.parameters.entries)
        #expect(loaded.parameters.values.array() == saved.parameters.values.array())
        #expect(try ModelDirectory.isRewardModel(folder.path) == (head == .reward))
        #expect(try ModelDirectory.configuration(folder.path) == configuration)
    }

    @Test func theHeadIsThatOfTheDirectoryUnlessAsked() throws {
        try ModelDirectory.save(model(.reward), to: folder.path, tokenizerFrom: nil)
        #expect(try load().head == .reward)
        #expect(failure { try load(Head.none) }?.code == .configuration)
        #expect(try load(.value).head == .value)
    }

    @Test func aMissingHeadIsNew() throws {
        let saved = model(.none)
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        #expect(try load().head == Head.none)
        let loaded = try load(.reward, seed: 7)
        let trunk = loaded.parameters.headRange.lowerBound
        #expect(Array(loaded.parameters.values.array()[..<trunk]) == saved.parameters.values.array())
        #expect(loaded.parameters.values.array() == saved.copy(head: .reward, seed: 7).parameters.values.array())
    }

    @Test func policiesAreSavedWithoutTheirCritic() throws {
        try ModelDirectory.save(model(.value), to: folder.path, tokenizerFrom: nil)
        let file = try SafetensorsFile(path: folder.path + "/model.safetensors")
        #expect(file.header.tensors.allSatisfy { $0.name.hasPrefix("transformer.") })
    }

    @Test func tokenizerFilesAreCopied() throws {
        let source = try TemporaryFolder()
        try source.write("tokenizer.json", "{}")
        try source.write("generation_config.json", "{\"a\": 1}")
        try source.write("notes.txt", "not copied")
        try ModelDirectory.save(model(.none), to: folder.path + "/new", tokenizerFrom: source.path)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/new").sorted()
        #expect(names == ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"])
    }

    /// Saves a model's tensors under other names or into several files.
    private func save(_ tensors: [(String, [Int], [Float])], as file: String) throws {
        let values = tensors.flatMap { $0.2 }
        try writeSafetensors(
            tensors.map { ($0.0, $0.1) },
            values: Tensor(values, shape: [values.count]),
            to: "\(folder.path)/\(file)"
        )
    }

    private func tensors(_ model: LanguageModel) -> [(String, [Int], [Float])] {
        let values = model.parameters.values.array()
        return model.parameters.entries.map { ($0.name, $0.shape, Array(values[$0.range])) }
    }

    @Test func originalGPT2FilesLoad() throws {
        let saved = model(.none)
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        var stored = tensors(saved).map { ($0.0.replacing("transformer.", with: ""), $0.1, $0.2) }
        stored.append(("h.0.attn.bias", [1, 1, 2, 2], [1, 0, 1, 1]))
        stored.append(("h.0.attn.masked_bias", [], [-1e4]))
        stored.append(("lm_head.weight", [19, 8], Array(repeating: 1, count: 19 * 8)))
        try save(stored.reversed(), as: "model.safetensors")
        #expect(try load().parameters.values.array() == saved.parameters.values.array())
    }

    @Test func tensorsThatDoNotFitAreListed() throws {
        let saved = model(.none)
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        var stored = tensors(saved)
        stored[4] = ("transformer.h.0.attn.c_attn.weight", [24, 8], stored[4].2)
        stored[5].0 = "transformer.h.0.attn.extra"
        try save(stored, as: "model.safetensors")
        let error = failure { try load() }
        #expect(error?.code == .badData)
        for part in [
            "'transformer.h.0.attn.c_attn.weight' is [24, 8], expected [8, 24]",
            "'transformer.h.0.attn.c_attn.bias' is missing", "'transformer.h.0.attn.extra' is no tensor",
        ] {
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
        try save([("x", [1], [0])], as: "model.safetensors")
        #expect(failure { try load() }?.message.contains("and 19 more") == true)
    }

    @Test func anotherVocabularyIsAConfigurationFault() throws {
        try ModelDirectory.save(model(.none), to: folder.path, tokenizerFrom: nil)
        try edit { $0["vocab_size"] = 23 }
        let error = failure { try load() }
        #expect(error?.code == .configuration)
        #expect(error?.message == "config.json says vocab_size 23, but the embedding has 19 rows")
    }

    @Test func weightsThatAreNotFiniteAreRefused() throws {
        let saved = model(.none)
        saved.parameters.values[saved.parameters.entries[3].offset] = .nan
        saved.parameters.values[saved.parameters.entries[3].offset + 1] = -.infinity
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        let error = failure { try load() }
        #expect(error?.code == .internalError)
        #expect(error?.message == "tensor 'transformer.h.0.ln_1.bias' has 2 NaN or infinite values")
        #expect(throws: Never.self) {
            try ModelDirectory.load(folder.path, precision: .float32, allowNonFinite: true)
        }
    }

    private func shard(_ model: LanguageModel) throws -> [(String, [Int], [Float])] {
        try ModelDirectory.save(model, to: folder.path, tokenizerFrom: nil)
        try FileManager.default.removeItem(atPath: folder.path + "/model.safetensors")
        let all = tensors(model)
        try save(Array(all[..<7]), as: "a.safetensors")
        try save(Array(all[7...]), as: "b.safetensors")
        return all
    }

    private func writeIndex(
        _ tensors: [(String, [Int], [Float])],
        totalSize: Int = 0,
        file: (Int) -> String = { $0 < 7 ? "a.safetensors" : "b.safetensors" }
    ) throws {
        var map = JSONObject()
        for (i, tensor) in tensors.enumerated() { map[tensor.0] = .string(file(i)) }
        let index: JSONValue = ["metadata": ["total_size": .integer(totalSize)], "weight_map": .object(map)]
        try folder.write("model.safetensors.index.json", index.encoded())
    }

    @Test func shardsLoad() throws {
        let saved = model(.none)
        let all = try shard(saved)
        try writeIndex(all, totalSize: 4 * saved.parameters.count)
        let loaded = try ModelDirectory.load(folder.path, precision: .float32)
        #expect(loaded.model.parameters.values.array() == saved.parameters.values.array())
        #expect(loaded.warnings.isEmpty)
        try writeIndex(all, totalSize: 5)
        #expect(try ModelDirectory.load(folder.path, precision: .float32).warnings.count == 1)
    }

    @Test func shardsThatDoNotFitTheirIndexAreRefused() throws {
        let all = try shard(model(.none))
        for name in ["../a.safetensors", "/etc/passwd", "x/../../b", "b\\c", "a\0b", "", "..", "."] {
            try writeIndex(all) { $0 == 0 ? name : "a.safetensors" }
            let error = failure { try load() }
            #expect(error?.code == .badData && error?.message.contains("own folder") == true, "\(name)")
        }
        try writeIndex(all) { $0 < 7 ? "a.safetensors" : "gone.safetensors" }
        #expect(failure { try load() }?.code == .missingInput)
        try writeIndex(all) { $0 < 8 ? "a.safetensors" : "b.safetensors" }
        #expect(failure { try load() }?.code == .badData)
        try writeIndex(Array(all.dropLast()))
        #expect(failure { try load() }?.message.contains("not in the index") == true)
        try writeIndex(all + [("transformer.more", [1], [0])])
        #expect(failure { try load() }?.message.contains("'transformer.more'") == true)
        try writeIndex(all) { "file-\($0)-\(UUID().uuidString)" }
        #expect(failure { try load() }?.code == .missingInput)
    }

    @Test func linksOutOfTheFolderNeedConsent() throws {
        let all = try shard(model(.none))
        try writeIndex(all)
        let elsewhere = try TemporaryFolder()
        try FileManager.default.moveItem(atPath: folder.path + "/b.safetensors", toPath: elsewhere.path + "/blob")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/b.safetensors",
            withDestinationPath: elsewhere.path + "/blob"
        )
        #expect(failure { try load() }?.message.contains("symbolic link") == true)
        #expect(throws: Never.self) {
            try ModelDirectory.load(folder.path, precision: .float32, followSymlinks: true)
        }
    }

    @Test func oneFileThatIsALinkOutOfTheFolderNeedsConsentToo() throws {
        try ModelDirectory.save(model(.none), to: folder.path, tokenizerFrom: nil)
        let (elsewhere, manager) = (try TemporaryFolder(), FileManager.default)
        let file = folder.path + "/model.safetensors"
        func link(to target: String) throws {
            try? manager.removeItem(atPath: file)
            try manager.createSymbolicLink(atPath: file, withDestinationPath: target)
        }
        try manager.moveItem(atPath: file, toPath: elsewhere.path + "/blob")
        try link(to: elsewhere.path + "/blob")
        let refusal = failure { try load() }
        #expect(refusal?.code == .badData && refusal?.message.contains("--follow-symlinks") == true)
        #expect(failure { try ModelDirectory.storedType(folder.path) }?.code == .badData)
        #expect(throws: Never.self) {
            _ = try ModelDirectory.load(folder.path, precision: .float32, followSymlinks: true)
            _ = try ModelDirectory.open(folder.path, precision: .float32, followSymlinks: true)
            _ = try ModelDirectory.verify(folder.path, followSymlinks: true)
            _ = try ModelDirectory.storedType(folder.path, followSymlinks: true)
        }
        // Within the folder a link is a name.
        try manager.moveItem(atPath: elsewhere.path + "/blob", toPath: folder.path + "/weights")
        try link(to: "weights")
        #expect(throws: Never.self) { _ = try load() }
        try link(to: "model.safetensors")
        #expect(failure { try load() }?.code == .badData, "a loop")
        try link(to: "nowhere")
        #expect(failure { try load() }?.code == .missingInput)
    }

    @Test func missingFilesAreNamed() throws {
        #expect(failure { try load() }?.code == .missingInput)
        try ModelDirectory.save(model(.none), to: folder.path, tokenizerFrom: nil)
        try FileManager.default.removeItem(atPath: folder.path + "/model.safetensors")
        #expect(failure { try load() }?.code == .missingInput)
        try folder.write("pytorch_model.bin", "pickle")
        let error = failure { try load() }
        #expect(error?.code == .missingInput)
        #expect(error?.message.contains("safetensors") == true)
    }

    /// Changes `config.json`.
    private func edit(_ change: (inout JSONObject) -> Void) throws {
        let path = folder.path + "/config.json"
        var object = try #require(try JSONValue(contentsOfFile: path).object)
        change(&object)
        try folder.write("config.json", JSONValue.object(object).encoded())
    }

    @Test func configurationsThatWeDoNotComputeAreRefused() throws {
        let saved = model(.none)
        let cases: [(key: String, value: JSONValue?)] = [
            ("n_embd", 0), ("n_embd", -1), ("n_embd", .integer(1 << 62)), ("n_embd", "8"), ("n_embd", 8.5),
            ("n_embd", true), ("n_embd", nil), ("n_head", 3), ("n_layer", 0), ("n_layer", 1_000_000),
            ("n_positions", .integer(1 << 31)), ("vocab_size", 0), ("n_inner", 0), ("layer_norm_epsilon", 0),
            ("model_type", "bert"), ("activation_function", "relu"), ("auto_map", ["a": "b"]),
            ("quantization_config", ["bits": 4]), ("scale_attn_weights", false), ("tie_word_embeddings", false),
            ("scale_attn_by_inverse_layer_idx", true), ("reorder_and_upcast_attn", true), ("eos_token_id", 19),
        ]
        for (key, value) in cases {
            try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
            try edit { $0[key] = value }
            let error = failure { try load() }
            #expect(error?.code == .configuration, "\(key): \(error?.description ?? "")")
            #expect(error?.message.contains(key) == true, "\(key): \(error?.description ?? "")")
        }
        for text in ["", "[]", String(repeating: "[", count: 100_000), "{"] {
            try folder.write("config.json", text)
            let error = failure { try load() }
            #expect(error?.code == .badData || error?.code == .configuration)
        }
        // Dropout is accepted, and ignored.
        try ModelDirectory.save(saved, to: folder.path, tokenizerFrom: nil)
        try edit {
            $0["resid_pdrop"] = 0.1
            $0["auto_map"] = .null
        }
        #expect(throws: Never.self) { try load() }
    }

    @Test func presetsHaveTheirKnownSizes() {
        let sizes = ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"].map {
            ModelPreset.named($0)?.parameterCount(head: .none)
        }
        #expect(sizes == [124_439_808, 354_823_168, 774_030_080, 1_557_611_200])
        #expect(ModelPreset.named("gpt3") == nil)
        #expect(ModelPreset.names.first == "gpt2-tiny")
    }
}
