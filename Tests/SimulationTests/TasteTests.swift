import Failures
import Foundation
import Preferences
import StrictJSON
import Testing

@testable import Simulation

let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/Simulation")
    .standardized

@Suite struct TasteTests {
    @Test(arguments: [(0, "score"), (200, "strongest_200")])
    func scoresAsPythonDoes(strongest: Int, key: String) throws {
        let scorer = try LinearNgramScorer(
            contentsOfFile: fixtures.appending(path: "scorer.json").path,
            strongest: strongest
        )
        if strongest > 0 { #expect(scorer.count == strongest) }
        let path = fixtures.appending(path: "scores.jsonl").path
        var lines = 0
        try forEachJSONLine(in: readBytes(ofFile: path), file: path) { line, value in
            let row = try JSONFields(value.get(), at: "\(path):\(line)")
            let expected = try row.double(key)
            #expect(abs(scorer.score(try row.string("text")) - expected) < 1e-9, "line \(line)")
            lines += 1
        }
        #expect(lines == 50)
    }

    @Test func readsTheSharedScorerWhereItIs() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../shared/oracles/imdb-sentiment.json").standardized.path
        guard FileManager.default.fileExists(atPath: path) else {
            print("skipped: no \(path)")
            return
        }
        let taste = try Taste(path, strongest: 800)
        let good = taste.utility(prompt: "This film was", response: " excellent, a wonderful story.", tokens: 9)
        let bad = taste.utility(prompt: "This film was", response: " awful, the worst waste of time.", tokens: 9)
        #expect(good > 1 && bad < -2)
    }

    @Test func lengthLikesFewTokens() throws {
        let taste = try Taste("length")
        #expect(taste.utility(prompt: "a long prompt", response: "words do not matter", tokens: 7) == -7)
    }

    @Test func sentimentCountsWords() throws {
        let taste = try Taste("sentiment")
        #expect(taste.utility(prompt: "The kettle was", response: " SUPERB and sturdy, not awful.", tokens: 1) == 1)
        #expect(taste.utility(prompt: "The film was", response: " dull. What a dull mess!", tokens: 1) == -3)
        #expect(taste.utility(prompt: "", response: "in the kitchen on Monday", tokens: 1) == 0)
        #expect(taste.utility(prompt: "The film was grand", response: "iose", tokens: 1) == 0)
    }

    @Test(arguments: [
        (#"{"kind":"tree"}"#, "'kind'"),
        (#"{"kind":"linear-ngram","token_pattern":"\\w+"}"#, "'token_pattern'"),
        (#"{"kind":"linear-ngram","token_pattern":"[a-z']+","lowercase":false}"#, "'lowercase'"),
        (#"{"kind":"linear-ngram","token_pattern":"[a-z']+","lowercase":true,"binary":false}"#, "'binary'"),
        (
            #"{"kind":"linear-ngram","token_pattern":"[a-z']+","lowercase":true,"binary":true,"ngrams":[1,2,3]}"#,
            "'ngrams'"
        ),
        (
            #"{"kind":"linear-ngram","token_pattern":"[a-z']+","lowercase":true,"binary":true,"ngrams":[1,2],"bias":0,"#
                + #""weights":{"a":"x"}}"#,
            "weights.a"
        ),
        (
            #"{"kind":"linear-ngram","token_pattern":"[a-z']+","lowercase":true,"binary":true,"ngrams":[1,2],"bias":0,"#
                + #""weights":{"a":1e400}}"#,
            "beyond the range"
        ),
    ]) func refusesOtherScorers(content: String, reason: String) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "maxmin-\(UUID().uuidString).json")
        try Data(content.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect {
            try LinearNgramScorer(contentsOfFile: file.path)
        } throws: {
            ($0 as? Failure)?.code == .badData && ($0 as? Failure)?.message.contains(reason) == true
        }
    }

    @Test func namesAMissingScorer() {
        #expect(throws: Failure(.missingInput, "no such file", at: "nowhere.json")) { try Taste("nowhere.json") }
    }
}
