import Failures
import Foundation
import LanguageModels
import ModelFiles
import Randomness
import StrictJSON
import Tensors
import Testing
import Text

@testable import Runs

/// The commands on one model, on a random model with a tokenizer of its own.
@Suite struct ToolsTests {
    /// Makes the model `path`/model and gives the lines that `body` emits.
    private func lines(
        input: String,
        _ body: (_ model: String, _ input: String, _ emit: (String) -> Void) throws -> Void
    ) throws -> [JSONValue] {
        try withTemporaryDirectory { path in
            let tokenizer = try BytePairTrainer(vocabularySize: 300).train(on: ["the film was the best film"])
            try FileManager.default.createDirectory(atPath: path + "/tokenizer", withIntermediateDirectories: true)
            try tokenizer.write(toDirectory: path + "/tokenizer")
            _ = try initialiseModel(
                preset: "gpt2-tiny",
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
            var request = GenerateRequest(model: model)
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
            var scoring = ScoreRequest(model: model, input: input)
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
            let adapters = Trainable.adapters(AdapterSettings(rank: 2, alpha: 2))
            let adapted = base.copy(head: .none, trainable: adapters, seed: 1)
            var random = CounterRandom(seed: 2, purpose: .test)
            for i in 0..<adapted.parameters.count { adapted.parameters.values[i] = Float(0.3 * random.normal()) }
            let folder = model + "-adapter"
            try AdapterDirectory.save(adapted, to: folder, base: model, tokenizerFrom: nil)
            emit(try mergeAdapter(folder, base: model, directory: model + "-merged"))
            emit(try inspect(folder, json: true))
            var request = ScoreRequest(model: model, input: input)
            request.json = true
            try score(request, log: { _ in }, emit: emit)
            request.adapter = folder
            try score(request, log: { _ in }, emit: emit)
            request = ScoreRequest(model: model + "-merged", input: input)
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
                try score(ScoreRequest(model: model, input: input), log: { _ in }, emit: emit)
            }
            Issue.record("a bad line was accepted")
        } catch let failure as Failure {
            #expect(failure.code == .badData)
            #expect(failure.description.contains(part), "\(failure)")
        }
    }

    @Test func aDirectoryInUseIsNotInitialised() throws {
        try withTemporaryDirectory { path in
            try writeAtomically("x", to: path + "/file")
            #expect(throws: Failure.self) {
                try initialiseModel(preset: "gpt2-tiny", directory: path, tokenizerFrom: nil, seed: 1)
            }
            #expect(throws: Failure.self) {
                try initialiseModel(preset: "gpt9", directory: path + "/m", tokenizerFrom: nil, seed: 1)
            }
        }
    }
}
