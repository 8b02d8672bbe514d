import Failures
import Foundation
import ModelFiles
import TestSupport
import Testing
import Text

@testable import ModelTools

/// A talk with a random model, greedy, so that an answer depends on the conversation alone.
@Suite struct ChatTests {
    private struct Talk {
        var answers: [String] = []
        var notes: [String] = []
        var pieces = 0
    }

    private func talk(
        _ said: [String],
        template: ChatTemplate? = .tulu,
        preset: String = "gpt2-tiny",
        interruptedAfter most: Int = .max,
        change: (inout ChatRequest) -> Void = { _ in }
    ) throws -> Talk {
        try withTemporaryDirectory { path in
            let tokenizer = try BytePairTrainer(vocabularySize: 300).train(on: ["the film was the best film"])
            try FileManager.default.createDirectory(atPath: path + "/tokenizer", withIntermediateDirectories: true)
            try tokenizer.write(toDirectory: path + "/tokenizer")
            let (model, source) = (path + "/model", path + "/tokenizer")
            _ = try initializeModel(preset: preset, directory: model, tokenizerFrom: source, seed: 3)
            var request = ChatRequest(model: ModelRequest(path + "/model"))
            request.model.template = template
            request.temperature = 0
            request.maxNewTokens = 8
            change(&request)
            var talk = Talk()
            var rest = said[...]
            var answer = ""
            var asked = 0
            try chat(
                request,
                nextLine: {
                    if !answer.isEmpty { talk.answers.append(answer) }
                    (answer, asked) = ("", 0)
                    return rest.popFirst()
                },
                isInterrupted: {
                    asked += 1
                    return asked > most
                },
                log: { talk.notes.append($0) },
                write: { piece in
                    talk.pieces += 1
                    answer += piece
                }
            )
            return talk
        }
    }

    /// After `/reset` the first answer is given again; without a template every line is a prompt of its own.
    @Test func turnsMakeAConversation() throws {
        let found = try talk(["the film", "", "the film", "/reset", "the film"])
        #expect(found.answers.count == 3 && found.answers[0] == found.answers[2])
        #expect(found.answers.allSatisfy { !$0.isEmpty } && found.pieces > 6, "an answer comes in pieces")
        #expect(found.notes.last == "a new conversation")
        let plain = try talk(["the film", "the film"], template: ChatTemplate.none)
        #expect(plain.answers[0] == plain.answers[1])
        #expect(plain.notes[0].hasPrefix("no chat template"))
    }

    @Test func linesThatAreNoMessages() throws {
        let found = try talk(["/temperature 2", "/temperature -1", "/temperature x", "/nothing", "/help", "<|user|>"])
        #expect(found.answers.isEmpty)
        #expect(found.notes[1] == "temperature 2.0")
        #expect(found.notes[2...3].allSatisfy { $0.hasPrefix("/temperature takes a number") && $0.hasSuffix("2.0") })
        #expect(found.notes[4].hasPrefix("no command: /nothing"))
        #expect(found.notes[5].split(separator: "\n").allSatisfy { $0.count < 80 })
        #expect(found.notes[6].hasPrefix("not sent: the message holds \"<|user|>\""))
    }

    /// A long talk goes on without its oldest turns.
    @Test func oldTurnsAreLeftOut() throws {
        let found = try talk(Array(repeating: String(repeating: "the best film was ", count: 3), count: 24))
        #expect(found.answers.count == 24)
        #expect(found.notes.contains { $0.contains("oldest turns no longer fit") })
        #expect(!found.notes.contains { $0.contains("too long") })
        let long = try talk([String(repeating: "the best film was ", count: 200)])
        #expect(long.answers.count == 1 && long.notes.last == "the line is too long: its beginning is left out")
    }

    /// An interrupted answer ends where it is, and the talk goes on.
    @Test func anInterruptedAnswerEnds() throws {
        let whole = try talk(["the film", "the film"])
        let cut = try talk(["the film", "the film"], interruptedAfter: 2)
        #expect(cut.answers.count == 2 && cut.answers.allSatisfy { $0.hasSuffix("\n") })
        #expect(whole.answers[0].hasPrefix(cut.answers[0].dropLast()) && cut.answers[0].count < whole.answers[0].count)
    }

    @Test func wrongUseIsNamed() {
        func failure(template: ChatTemplate? = .tulu, _ change: (inout ChatRequest) -> Void) -> Failure? {
            #expect(throws: Failure.self) { try talk(["a"], template: template, change: change) }
        }
        #expect(failure { $0.maxNewTokens = 1 << 20 }?.location == "--max-new-tokens")
        #expect(failure(template: ChatTemplate.none) { $0.system = "Be kind." }?.location == "--system")
    }
}
