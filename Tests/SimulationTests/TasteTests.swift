import Failures
import Foundation
import Preferences
import StrictJSON
import Testing
import Text

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

    /// (a − p·n)/(n + 3) of n sentences.
    @Test func voiceAndSettingAreSharesOfSentences() throws {
        let response = " was fine. I liked it in Paris! We saw our kitchen on Monday..."
        let voice = try Taste("voice").utility(prompt: "I, me, we", response: response, tokens: 1)
        #expect(abs(voice - (2 - 0.34 * 3) / 6) < 1e-12)
        let setting = try Taste("setting").utility(prompt: "In Rome", response: response, tokens: 1)
        #expect(abs(setting - (2 - 0.19 * 3) / 6) < 1e-12)
        #expect(try Taste("voice").utility(prompt: "I", response: " ... ", tokens: 1) == 0)
    }

    @Test func wordsAreCountedAsShares() throws {
        let taste = try Taste("words", words: ["Music", "plot"])
        #expect(taste.utility(prompt: "music", response: "The MUSIC, the plot; musical.", tokens: 1) == 2.0 / 8)
        #expect(taste.utility(prompt: "", response: "", tokens: 1) == 0)
        // Letters of three words, three times five beside them.
        #expect(try Taste("word-length").utility(prompt: "xxxxxx", response: "it's a cat", tokens: 1) == -22.0 / 6)
        #expect(isCountableWord("It's") && !isCountableWord("two words") && !isCountableWord("naïve"))
        #expect(!isCountableWord("") && !isCountableWord(" a") && !isCountableWord("8"))
    }

    /// Three pairs by hand: sentiment 1, −1 | 0, 2 | 0, 0 and tokens 3, 1 | 4, 4 | 2, 4.
    @Test func aMixIsTheWeightedSumOfStandardizedTastes() throws {
        let mix = try Taste.mix([.init(.sentiment, weight: 1), .init(.length, weight: -0.5)])
            .standardized(over: handMade, at: "components")
        guard case .mix(let components) = mix else {
            Issue.record("no mix")
            return
        }
        // Means over six responses; deviations √(ΣΔ²/2n): (4 + 4 + 0)/6 and (4 + 0 + 4)/6.
        #expect(abs(components[0].mean - 1.0 / 3) < 1e-12 && abs(components[1].mean + 3) < 1e-12)
        #expect(components.allSatisfy { abs($0.deviation - (8.0 / 6).squareRoot()) < 1e-12 })
        let utility = mix.utility(prompt: "", response: "superb", tokens: 2)
        #expect(abs(utility - (1 - 1.0 / 3 - 0.5 * (-2 + 3)) / (8.0 / 6).squareRoot()) < 1e-12)
    }

    @Test func aComponentThatDoesNotVaryIsRefused() throws {
        let mix = Taste.mix([.init(.sentiment, weight: 1), .init(.setting, weight: 1)])
        #expect {
            try mix.standardized(over: handMade, at: "simulate.groups[2].components")
        } throws: {
            ($0 as? Failure)?.code == .badData && "\($0)".contains("simulate.groups[2].components[1]")
        }
        #expect(throws: Failure.self) { try mix.standardized(over: [], at: "") }
    }

    /// ΣΔ_iΔ_j/√(ΣΔ_i²·ΣΔ_j²) with Δ (2, −2, 0) of sentiment and (−2, 0, 2) of length.
    @Test func correlationsAreWithinPrompts() {
        let opposed = Taste.mix([.init(.sentiment, weight: -3)])
        let found = tasteCorrelations([.sentiment, .length, opposed, .setting], over: handMade)
        let expected = [[1, -0.5, -1, 0], [-0.5, 1, 0.5, 0], [-1, 0.5, 1, 0], [0, 0, 0, 0]]
        for (row, wanted) in zip(found, expected) {
            #expect(zip(row, wanted).allSatisfy { abs($0 - $1) < 1e-12 }, "\(row) is not \(wanted)")
        }
    }

    private var handMade: [ResponsePair] {
        [((" superb", 3), (" awful", 1)), ((" film", 4), (" superb superb", 4)), ((" a", 2), (" b", 4))].map {
            ResponsePair(
                prompt: "prompt",
                first: SampledResponse(text: $0.0, tokens: $0.1, isComplete: true),
                second: SampledResponse(text: $1.0, tokens: $1.1, isComplete: true)
            )
        }
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
