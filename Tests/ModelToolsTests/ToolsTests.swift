import Failures
import Foundation
import LanguageModels
import ModelFiles
import Randomness
import StrictJSON
import Tensors
import TestSupport
import Testing
import Text

@testable import ModelTools

/// The commands on one model, on a random model with a tokenizer of its own.
@Suite struct ToolsTests {
    /// Makes the model `path`/model and gives the lines that `body` emits.
    private func lines(
        input: String,
        preset: String = "gpt2-tiny",
        _ body: (_ model: String, _ input: String, _ emit: (String) -> Void) throws -> Void
    ) throws -> [JSONValue] {
        try withTemporaryDirectory { path in
            let tokenizer = try BytePairTrainer(vocabularySize: 300).train(on: ["the film was the best film"])
            try FileManager.default.createDirectory(atPath: path + "/tokenizer", withIntermediateDirectories: true)
            try tokenizer.write(toDirectory: path + "/tokenizer")
            _ = try initializeModel(
                preset: preset,
                directory: path + "/model",
                tokenizerFrom: path + "/tokenizer",
                seed: 3
            )
            try writeAtomically(input, to: path + "/in.jsonl")
            var emitted: [String] = []
            try body(path + "/model", path + "/in.jsonl") { emitted.append($0) }
            return try emitted.map { try JSONValue(parsing: Array($0.utf8), at: "output") }
        }
    }

    @Test func tokenizeAndDecodeAreInverse() throws {
        let text = "the film\n<|endoftext|> é"
        let input = JSONValue.object(try #require((["text": .string(text)] as JSONValue).object)).encoded()
        let output = try lines(input: input) { model, input, emit in
            var request = TokenizeRequest(model: model, input: input)
            request.json = true
            var ids = ""
            try tokenize(request) { ids = $0 }
            try writeAtomically(ids, to: input)
            request.decode = true
            try tokenize(request) { emit($0) }
        }
        #expect(output.first?.object?["text"]?.string == text)
    }

    /// What `generate` says of a sample is what `score` says of the same tokens.
    @Test func samplesScoreAsTheyWereSampled() throws {
        let output = try lines(input: "{\"prompt\": \"the film\"}\n") { model, input, emit in
            var request = GenerateRequest(model: ModelRequest(model))
            request.input = input
            request.samples = 2
            request.maxNewTokens = 5
            request.json = true
            try generate(request, log: { _ in }, emit: emit)
            let prompt = try Tokenizer(directory: model).encode("the film").map { JSONValue.integer(Int($0)) }
            var again: [String] = []
            try generate(request, log: { _ in }, emit: { again.append($0) })
            let rows = try again.map { line -> String in
                let sampled = try JSONValue(parsing: Array(line.utf8), at: "again").object?["token_ids"]?.array ?? []
                return (["token_ids": .array(prompt + sampled)] as JSONValue).encoded()
            }
            try writeAtomically(rows.joined(separator: "\n"), to: input)
            var scoring = ScoreRequest(model: ModelRequest(model), input: input)
            scoring.json = true
            try score(scoring, log: { _ in }, emit: emit)
        }
        try #require(output.count == 4)
        for (sample, scored) in zip(output[..<2], output[2...]) {
            let sampled = sample.object?["logprobs"]?.array?.compactMap(\.number) ?? []
            let all = scored.object?["logprobs"]?.array?.compactMap(\.number) ?? []
            #expect(!sampled.isEmpty)
            for (a, b) in zip(sampled, all.suffix(sampled.count)) { #expect(abs(a - b) < 1e-4) }
        }
        #expect(output[0] != output[1])
    }

    /// A merged model scores as its base with the adapter.
    @Test func adaptersAreMerged() throws {
        let output = try lines(input: "{\"token_ids\": [1, 2, 3, 4, 5]}\n") { model, input, emit in
            let base = try ModelDirectory.load(model, precision: .float32).model
            let adapters = TrainableParameters.adapters(AdapterSettings(rank: 2, alpha: 2))
            let adapted = base.copy(head: .none, trainable: adapters, seed: 1)
            var random = CounterRandom(seed: 2, purpose: .test)
            for i in 0..<adapted.parameters.count { adapted.parameters.values[i] = Float(0.3 * random.normal()) }
            let folder = model + "-adapter"
            try AdapterDirectory.save(adapted, to: folder, base: model, tokenizerFrom: nil)
            try writeAtomically(
                "---\na: b\n---\n\n# A run\n\nMade so.\n\n## How to load it\n\nx\n",
                to: folder + "/README.md"
            )
            emit(try mergeAdapter(folder, base: model, directory: model + "-merged"))
            let card = try String(contentsOfFile: model + "-merged/README.md", encoding: .utf8)
            #expect(card.hasPrefix("---\nlibrary_name: transformers\n") && card.contains("\n# A run\n\nMade so.\n"))
            #expect(card.contains("`\(folder)`") && card.contains("AutoModelForCausalLM.from_pretrained(\".\")"))
            #expect(!card.contains("\nx\n") && !card.contains("a: b"))
            emit(try inspect(folder, json: true))
            var request = ScoreRequest(model: ModelRequest(model), input: input)
            request.json = true
            try score(request, log: { _ in }, emit: emit)
            request.model.adapter = folder
            try score(request, log: { _ in }, emit: emit)
            request = ScoreRequest(model: ModelRequest(model + "-merged"), input: input)
            request.json = true
            try score(request, log: { _ in }, emit: emit)
            #expect(throws: Failure.self) { try mergeAdapter(folder, base: model, directory: model + "-merged") }
            #expect(throws: Failure.self) { try mergeAdapter(model, base: model, directory: model + "-other") }
        }
        try #require(output.count == 5)
        #expect(output[0].object?["parameters"]?.integer != nil)
        #expect(output[1].object?["kind"]?.string == "language model adapter")
        let scores = output[2...].map { $0.object?["logprobs"]?.array?.compactMap(\.number) ?? [] }
        #expect(scores.allSatisfy { $0.count == 4 })
        for i in 0..<4 {
            #expect(abs(scores[1][i] - scores[2][i]) < 1e-4)
            #expect(abs(scores[0][i] - scores[1][i]) > 1e-3)
        }
    }

    /// A reward model of a family with untied embeddings, whole, merged or an adapter: rewards, and no
    /// log-probabilities but the base's.
    @Test func rewardModelsWithoutVocabularyGiveRewards() throws {
        let output = try lines(input: "{\"token_ids\": [1, 2, 3, 4, 5]}\n", preset: "llama-tiny") {
            model,
            input,
            emit in
            let base = try ModelDirectory.load(model, precision: .float32).model
            let whole = base.copy(head: .reward, seed: 1)
            let adapters = TrainableParameters.adapters(AdapterSettings(rank: 2, alpha: 2))
            let adapted = base.copy(head: .reward, trainable: adapters, seed: 1)
            try ModelDirectory.save(whole, to: model + "-whole", tokenizerFrom: model)
            try AdapterDirectory.save(adapted, to: model + "-adapter", base: model, tokenizerFrom: nil)
            _ = try mergeAdapter(model + "-adapter", base: model, directory: model + "-merged")
            for (directory, adapter) in [("-whole", nil), ("-merged", nil), ("", model + "-adapter")] {
                var request = ScoreRequest(model: ModelRequest(model + directory), input: input)
                request.model.adapter = adapter
                request.json = true
                try score(request, log: { _ in }, emit: emit)
                request.json = false
                try score(request, log: { _ in }) { #expect($0.contains("reward")) }
            }
            for directory in ["-whole", "-merged"] {
                var request = GenerateRequest(model: ModelRequest(model + directory))
                request.prompts = ["a"]
                let failure = #expect(throws: Failure.self) { try generate(request, log: { _ in }, emit: { _ in }) }
                #expect(failure?.code == .configuration)
                request.model.adapter = model + "-adapter"
                #expect(throws: Failure.self) { try generate(request, log: { _ in }, emit: { _ in }) }
            }
        }
        try #require(output.count == 3)
        let rewards = output.compactMap { $0.object?["reward"]?.number }
        // The model is stored in bf16, and what is merged with it is too.
        #expect(rewards.count == 3 && rewards.allSatisfy { abs($0 - rewards[0]) < 0.02 })
        #expect(output[0].object?["logprobs"] == .null && output[1].object?["logprobs"] == .null)
        #expect(output[2].object?["logprobs"]?.array?.count == 4)
    }

    /// Weights that are not finite are refused by name, logits of finite weights by line; both are taken where that is
    /// asked for.
    @Test(arguments: [Float.nan, 3e38]) func whatIsNotFiniteIsRefused(weight: Float) throws {
        _ = try lines(input: "{\"token_ids\": [1, 2, 3]}\n") { model, input, _ in
            let broken = try ModelDirectory.load(model, precision: .float32).model
            for index in broken.parameters.entries[0].range { broken.parameters.values[index] = weight }
            try ModelDirectory.save(broken, to: model, tokenizerFrom: nil)
            var scoring = ScoreRequest(model: ModelRequest(model), input: input)
            var sampling = GenerateRequest(model: ModelRequest(model))
            sampling.prompts = ["a"]
            sampling.temperature = 0
            sampling.maxNewTokens = 1
            scoring.json = true
            func refusal(_ work: () throws -> Void) -> Failure? { #expect(throws: Failure.self, performing: work) }
            let failures = [
                refusal { try score(scoring, log: { _ in }, emit: { _ in }) },
                refusal { try generate(sampling, log: { _ in }, emit: { _ in }) },
            ]
            let reason = weight.isNaN ? "tensor 'transformer.wte.weight'" : "not finite"
            for failure in failures {
                #expect(failure?.code == .internalError)
                #expect(failure?.description.contains(reason) == true, "\(failure?.description ?? "")")
            }
            if weight.isNaN { #expect(throws: Failure.self) { try inspect(model, json: false) } }
            _ = try inspect(model, json: false, allowNonFinite: true)
            scoring.model.allowNonFinite = true
            sampling.model.allowNonFinite = true
            var printed: [String] = []
            try score(scoring, log: { _ in }) { printed.append($0) }
            #expect(printed == ["{\"token_ids\": [1, 2, 3], \"logprobs\": [null, null]}"])
            try generate(sampling, log: { _ in }) { printed.append($0) }
            #expect(printed.count == 2)
        }
    }

    @Test(arguments: [
        ("{\"text\": \"a\"}\n{\"txt\": \"a\"}", "in.jsonl:2: needs \"text\""),
        ("{\"text\": \"\"}", "in.jsonl:1: has no tokens"),
        ("{\"token_ids\": [5000]}", "in.jsonl:1: token id 5000 outside"),
        ("{\"token_ids\": [-1]}", "in.jsonl:1"),
        ("{\"prompt\": \"a\"}", "in.jsonl:1: 'response' is missing"),
        ("{\"text\": \"a\"", "in.jsonl:1"),
        (
            "{\"token_ids\": [\(Array(repeating: "1", count: 200).joined(separator: ","))]}",
            "in.jsonl:1: sequence of 200"
        ),
    ])
    func badLinesAreNamed(input: String, part: String) throws {
        do {
            _ = try lines(input: input) { model, input, emit in
                try score(ScoreRequest(model: ModelRequest(model), input: input), log: { _ in }, emit: emit)
            }
            Issue.record("a bad line was accepted")
        } catch let failure as Failure {
            #expect(failure.code == .badData)
            #expect(failure.description.contains(part), "\(failure)")
        }
    }

    @Test func aDirectoryInUseIsNotInitialized() throws {
        try withTemporaryDirectory { path in
            try writeAtomically("x", to: path + "/file")
            #expect(throws: Failure.self) {
                try initializeModel(preset: "gpt2-tiny", directory: path, tokenizerFrom: nil, seed: 1)
            }
            #expect(throws: Failure.self) {
                try initializeModel(preset: "gpt9", directory: path + "/m", tokenizerFrom: nil, seed: 1)
            }
        }
    }
}
