import Foundation
import LanguageModels
import ModelFiles
import Randomness
import StrictJSON
import Tensors
import Testing

/// Writes models for `Tests/Fixtures/ModelFiles/check_transformers.py`, which is run by hand.
@Suite struct TransformersTests {
    static let output = ProcessInfo.processInfo.environment["MAXMIN_MODELS_OUT"]
    static let shared = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/models/imdb-gpt2-10m-sft").path

    @Test(.enabled(if: output != nil, "MAXMIN_MODELS_OUT is not set")) func writeModels() throws {
        let output = try #require(Self.output)
        let shape = ModelConfiguration(
            vocabularySize: 90,
            positions: 40,
            width: 24,
            layers: 3,
            heads: 4,
            innerWidth: 40,
            normEpsilon: 1e-6,
            endOfText: 89
        )
        for head in [Head.none, .reward, .value] {
            let model = LanguageModel(shape, head: head, precision: .float32, seed: 2)
            try write(model, to: "\(output)/tiny-\(head)", tokenizerFrom: nil)
        }
        for shape in LlamaDirectoryTests.shapes {
            let configuration = ModelConfiguration(
                vocabularySize: 90,
                positions: 40,
                width: 24,
                layers: 2,
                heads: 4,
                innerWidth: 40,
                endOfText: 89,
                family: .llama(shape)
            )
            let kind = "\(shape.member.rawValue)-\(shape.keyValueHeads)-\(shape.slidingWindow ?? 0)"
            for head in [Head.none, .reward] {
                let model = LanguageModel(configuration, head: head, precision: .float32, seed: 2)
                try write(model, to: "\(output)/\(kind)-\(head)", tokenizerFrom: nil)
            }
        }
        if FileManager.default.fileExists(atPath: Self.shared) {
            for head in [Head.none, .reward] {
                let model = try ModelDirectory.load(Self.shared, precision: .float32, head: head, seed: 1).model
                try write(model, to: "\(output)/imdb-\(head)", tokenizerFrom: Self.shared)
            }
        }
    }

    /// A base, adapters over it and the merged models, for `check_peft.py`.
    @Test(.enabled(if: output != nil, "MAXMIN_MODELS_OUT is not set")) func writeAdapters() throws {
        let output = try #require(Self.output) + "/adapters"
        let families = [.gpt2] + LlamaDirectoryTests.shapes.map(ModelConfiguration.Family.llama)
        for (index, family) in families.enumerated() {
            let configuration = ModelConfiguration(
                vocabularySize: 90,
                positions: 40,
                width: 24,
                layers: 3,
                heads: 4,
                innerWidth: 40,
                endOfText: 89,
                family: family
            )
            let base = LanguageModel(configuration, head: .none, precision: .float32, seed: 2)
            let path = "\(output)/\(index)"
            try ModelDirectory.save(base, to: "\(path)/base", tokenizerFrom: nil)
            for (head, topLayers) in [(Head.none, nil), (.reward, 2)] {
                let settings = AdapterSettings(rank: 4, alpha: 6, topLayers: topLayers)
                let model = base.copy(head: head, trainable: .adapters(settings), seed: 5)
                var random = CounterRandom(seed: 6, purpose: .test)
                for i in 0..<model.parameters.count { model.parameters.values[i] = Float(0.2 * random.normal()) }
                model.parametersDidChange()
                let adapter = "\(path)/\(head)"
                try AdapterDirectory.save(model, to: adapter, base: "\(path)/base", tokenizerFrom: nil)
                _ = try ModelDirectory.writeMerged(adapter: adapter, base: "\(path)/base", to: adapter + "-merged")
                try writeExpected(model, to: adapter + ".json")
            }
        }
    }

    private func write(_ model: LanguageModel, to path: String, tokenizerFrom: String?) throws {
        try ModelDirectory.save(model, to: path, tokenizerFrom: tokenizerFrom)
        try writeExpected(model, to: path + ".json")
    }

    private func writeExpected(_ model: LanguageModel, to path: String) throws {
        var random = CounterRandom(seed: 3, purpose: .test)
        let vocabulary = Int32(model.configuration.vocabularySize)
        let sequences = [2, 40, 17].map { length in
            (0..<min(length, model.configuration.contextLength)).map { _ in
                Int32.random(in: 0..<vocabulary, using: &random)
            }
        }
        // A reward model of an untied family has no vocabulary matrix.
        let predicts =
            model.head != .reward || model.parameters.entry(named: model.configuration.vocabularyName) != nil
        let logProbabilities = (predicts ? sequences : []).map { sequence in
            let rows = Array(0..<Int32(sequence.count - 1))
            return model.tokenScores(of: PackedSequences([sequence]), rows: rows, temperature: 1).logProbabilities
        }
        let rewards = model.head == .reward ? model.rewards(of: PackedSequences(sequences)) : nil
        let expected: JSONValue = [
            "sequences": .array(sequences.map { .array($0.map { .integer(Int($0)) }) }),
            "logprobs": .array(logProbabilities.map { .array($0.map { JSONValue($0) }) }),
            "rewards": rewards.map { .array($0.map { JSONValue($0) }) } ?? .null,
        ]
        try Data(expected.encoded().utf8).write(to: URL(filePath: path))
    }
}
