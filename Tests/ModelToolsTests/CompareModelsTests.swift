import Failures
import Foundation
import LanguageModels
import ModelFiles
import Reporting
import StrictJSON
import TestSupport
import Testing
import Text

@testable import ModelTools

/// Two models without a run: adapters, and models of different tokens.
@Suite struct CompareModelsTests {
    /// Makes the models `first` and `second`, of different tokenizers, and an untrained adapter and reward adapter over
    /// the first.
    private func withModels(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { path in
            for (name, text) in [("first", "the film was the best film"), ("second", "a kettle on the table")] {
                let tokenizer = try BytePairTrainer(vocabularySize: name == "first" ? 290 : 280).train(on: [text])
                let folder = "\(path)/\(name)-tokenizer"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try tokenizer.write(toDirectory: folder)
                _ = try initializeModel(
                    preset: "gpt2-tiny",
                    directory: "\(path)/\(name)",
                    tokenizerFrom: folder,
                    seed: 3
                )
            }
            let base = try ModelDirectory.load("\(path)/first", precision: .float32).model
            let adapters = TrainableParameters.adapters(AdapterSettings(rank: 2, alpha: 2))
            for (name, head) in [("adapter", Head.none), ("reward-adapter", .reward)] {
                try AdapterDirectory.save(
                    base.copy(head: head, trainable: adapters, seed: 1),
                    to: "\(path)/\(name)",
                    base: "\(path)/first",
                    tokenizerFrom: nil
                )
            }
            try ModelDirectory.save(
                base.copy(head: .reward, seed: 1),
                to: "\(path)/reward",
                tokenizerFrom: "\(path)/first"
            )
            let prompts = ["the film", "was", "best"].map { "{\"prompt\": \"\($0)\"}\n" }.joined()
            try writeAtomically(prompts, to: "\(path)/prompts.jsonl")
            try body(path)
        }
    }

    private func compare(
        _ policy: ModelRequest,
        _ against: ModelRequest,
        in path: String,
        rewards: [ModelRequest] = []
    ) throws -> JSONObject {
        var request = CompareRequest(policy: policy, against: against, prompts: "\(path)/prompts.jsonl")
        request.tastes = ["length"]
        request.rewardModels = rewards
        request.samples = 8
        request.maxNewTokens = 6
        request.json = true
        var lines: [String] = []
        try compareModels(request, progress: .silent, emit: { lines.append($0) })
        let line = try #require(lines.first)
        let output = try JSONValue(parsing: Array(line.utf8), at: "output")
        return try #require(output.object)
    }

    /// An untrained adapter changes nothing: its model does not diverge from the base, and its reward model is the
    /// whole one.
    @Test func adaptersAreComparedOverTheirBase() throws {
        try withModels { path in
            let first = "\(path)/first"
            let rewards = try [("reward", nil), ("reward-adapter", first)].map {
                try ModelRequest(rewardModel: "\(path)/\($0.0)", base: $0.1)
            }
            let found = try compare(
                ModelRequest(first, adapter: "\(path)/adapter"),
                ModelRequest(first),
                in: path,
                rewards: rewards
            )
            #expect(abs(found["kl"]?.number ?? 1) < 1e-5)
            let judges = found["judges"]?.array ?? []
            let names = judges.map { $0.object?["name"]?.string ?? "" }
            #expect(names == ["length", "\(path)/reward", "\(path)/reward-adapter"])
            let rates = judges.map { $0.object?["win_rate"]?.object?["mean"]?.number ?? -1 }
            #expect(rates[1] == rates[2], "\(rates)")
            #expect(rates.allSatisfy { $0 > 0.1 && $0 < 0.9 }, "\(rates)")
        }
    }

    /// Models of different tokens have win rates, as texts have, and no divergence.
    @Test func modelsOfDifferentTokensHaveNoDivergence() throws {
        try withModels { path in
            let (first, second) = (ModelRequest("\(path)/first"), ModelRequest("\(path)/second"))
            let rewards = [try ModelRequest(rewardModel: "\(path)/reward", base: nil)]
            let found = try compare(second, first, in: path, rewards: rewards)
            #expect(found["kl"] == .null)
            #expect(found["judges"]?.array?.count == 2)
        }
    }

    @Test func wrongModelsAreNamed() throws {
        try withModels { path in
            let alone = #expect(throws: Failure.self) {
                try ModelRequest(rewardModel: "\(path)/reward-adapter", base: nil)
            }
            #expect(alone?.description.contains("--reward-base") == true)
            let first = ModelRequest("\(path)/first")
            let reward = #expect(throws: Failure.self) {
                try compare(ModelRequest("\(path)/reward"), first, in: path)
            }
            #expect(reward?.description.contains("--reward-model") == true)
            let policy = #expect(throws: Failure.self) { try compare(first, first, in: path, rewards: [first]) }
            #expect(policy?.description.contains("no reward head") == true)
        }
    }
}
