import Collectives
import Failures
import Foundation
import ModelFiles
import Reporting
import StrictJSON
import Synchronization
import TestSupport
import Testing

@testable import Runs

/// The stage `sft` on an existing model.
@Suite struct SFTTests {
    /// Makes a model of two layers.
    private static let scratch = """
        run: { seed: 3, threads: 1, stages: [sft] }
        model: { precision: fp32 }
        data: { max_length: 24, held_out_prompts: 8 }
        policy: { max_new_tokens: 8 }
        evaluate: { prompts: 8 }
        sft: { documents: 120, vocabulary_size: 300, layers: 2, width: 16, heads: 2, positions: 32, steps: 2,
               batch_sequences: 8 }
        shards: 4
        """

    private static func tuning(_ path: String, _ sft: String = "") -> String {
        """
        run: { seed: 4, threads: 1, save_every_steps: 2, save_every_minutes: null, stages: [sft, simulate] }
        model: { path: \(path)/base/reference, precision: fp32, micro_batch_tokens: 40 }
        data: { text: \(path)/chats.jsonl, chat_template: tulu, max_length: 32, held_out_prompts: 8 }
        policy: { max_new_tokens: 8 }
        evaluate: { prompts: 8 }
        sft: { steps: 8, batch_sequences: 8, evaluate_every: 2, learning_rate: 0.01, warmup_steps: 1, \(sft) }
        simulate: { groups: [{ name: concise, users: 2, taste: length }], comparisons_per_user: 4, prompt_tokens: 4,
                    max_new_tokens: 8 }
        shards: 4
        """
    }

    private struct Killed: Error {}

    /// Runs a configuration in a directory; `kill`: the step boundary at which it is killed.
    private static func run(_ text: String, in path: String, ranks: Int = 1, kill: Int? = nil) throws {
        try writeAtomically(text, to: "\(path).yaml")
        let passed = Atomic(0)
        _ = try InProcessGroup.run(ranks: ranks) { communicator in
            var request = RunRequest(configuration: "\(path).yaml")
            request.overrides = ["run.directory=\(path)"]
            request.resume = true
            let isRoot = communicator.rank == 0
            request.stop.isAsked = {
                if isRoot, passed.add(1, ordering: .relaxed).newValue == kill { throw Killed() }
                return false
            }
            return try runStages(request, communicator: communicator, progress: .silent).isStopped
        }
    }

    /// A folder with a small model in `base/reference`, and 40 conversations of which every answer is the same word.
    private static func withModel(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { path in
            try run(scratch, in: "\(path)/base")
            let lines = (0..<40).map { number in
                let answer = #"{"role": "assistant", "content": "a film"}"#
                let more = number % 3 == 0 ? #", {"role": "user", "content": "So?"}, "# + answer : ""
                return #"{"messages": [{"role": "user", "content": "Was it \#(number)?"}, "# + answer + more + "]}\n"
            }
            try writeAtomically(lines.joined(), to: "\(path)/chats.jsonl")
            try body(path)
        }
    }

    private static func losses(_ path: String) throws -> [Double] {
        let file = "\(path)/metrics.jsonl"
        var losses: [Double] = []
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            let fields = try JSONFields(JSONValue(parsing: Array(line.utf8), at: file), at: file)
            if try fields.string("stage") == "sft", let loss = try fields.optionalDouble("held_out_loss") {
                losses.append(loss)
            }
        }
        return losses
    }

    private static func weights(_ path: String) throws -> String {
        try FileSeal(reading: "\(path)/reference/model.safetensors").xxh64
    }

    private static func metrics(_ path: String) throws -> String {
        try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8)
            .replacing(/"[a-z_]*seconds": [^,}]*|"[a-z_]*tokens_per_second": [^,}]*/, with: "")
    }

    /// Full and adapters; the later stage reads what was made, and ranks and breaks do not matter.
    @Test(arguments: ["", "trainable: lora, lora: { rank: 2, alpha: 4, dropout: 0.1 }"])
    func anExistingModelLearnsAnswers(sft: String) throws {
        try Self.withModel { path in
            let text = Self.tuning(path, sft)
            try Self.run(text, in: "\(path)/whole")
            let losses = try Self.losses("\(path)/whole")
            #expect(losses.count == 5 && losses[4] < losses[0] - 0.1, "\(losses)")
            let whole = try Self.weights("\(path)/whole")
            #expect(try whole != Self.weights("\(path)/base"))
            let files = FileManager.default
            #expect(files.fileExists(atPath: "\(path)/whole/reference/chat_template.jinja"))
            #expect(files.fileExists(atPath: "\(path)/whole/reference/adapter") == !sft.isEmpty)
            let preferences = try FileSeal(reading: "\(path)/whole/preferences.jsonl").xxh64
            for (ranks, kill) in [(2, 3), (4, 7)] {
                let broken = "\(path)/broken-\(ranks)"
                #expect(throws: Killed.self) { try Self.run(text, in: broken, ranks: ranks, kill: kill) }
                try Self.run(text, in: broken, ranks: 3 - ranks / 2)
                #expect(try Self.weights(broken) == whole)
                #expect(try Self.metrics(broken) == Self.metrics("\(path)/whole"))
                #expect(try FileSeal(reading: "\(broken)/preferences.jsonl").xxh64 == preferences)
            }
        }
    }

    /// Steps that make it worse end the training, and the model is what it was.
    @Test func theBestWeightsAreKept() throws {
        try Self.withModel { path in
            let text = Self.tuning(path, "patience: 1").replacing("learning_rate: 0.01", with: "learning_rate: 3.0")
            try Self.run(text, in: "\(path)/worse")
            #expect(try Self.losses("\(path)/worse").count == 2)
            #expect(try Self.weights("\(path)/worse") == Self.weights("\(path)/base"))
        }
    }

    /// A run whose configuration no longer names the stage goes on with what it made.
    @Test func theReferenceIsWhatTheStageMade() throws {
        try Self.withModel { path in
            let directory = RunDirectory(path: "\(path)/run")
            let asked = try Configuration(yaml: Self.tuning(path), file: "run.yaml", overrides: [])
            #expect(throws: Failure.self) { try asked.referencePath(in: directory) }
            let configuration = try Configuration(
                yaml: Self.tuning(path),
                file: "run.yaml",
                overrides: ["run.stages=[simulate]"]
            )
            #expect(try configuration.referencePath(in: directory) == "\(path)/base/reference")
            try Self.run(Self.tuning(path), in: "\(path)/run")
            #expect(try configuration.referencePath(in: directory) == "\(path)/run/reference")
        }
    }

    @Test func aLineWithoutAnAnswerIsNamed() throws {
        try Self.withModel { path in
            let chats = try String(contentsOfFile: "\(path)/chats.jsonl", encoding: .utf8)
            try writeAtomically(
                chats + #"{"messages": [{"role": "user", "content": "And?"}]}"# + "\n",
                to: "\(path)/chats.jsonl"
            )
            #expect {
                try Self.run(Self.tuning(path), in: "\(path)/run")
            } throws: { error in
                let failure = error as? Failure
                return failure?.code == .badData && failure?.location == "\(path)/chats.jsonl:41"
                    && failure?.message.contains("has no answer") == true
            }
        }
    }

    @Test func keysThatContradict() {
        #expect(problems("model: { path: m }")[0].contains("data.text: sft trains model.path"))
        #expect(problems("sft: { trainable: lora }")[0].contains("sft.trainable: lora adapts a model"))
        #expect(
            problems("run: { stages: [sft] }\nmodel: { path: m }\ndata: { text: t.jsonl, max_length: 500 }").isEmpty
        )
    }
}
