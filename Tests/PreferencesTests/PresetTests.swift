import Failures
import Foundation
import StrictJSON
import Testing
import Text

@testable import Preferences

/// The presets, on small files made by hand whose structure is the published one.
///
/// No row is of a real data set.
///
/// The structures are those of
/// - PRISM, `conversations.jsonl`: the data card `data/prism_datacard.md` of github.com/HannahKirk/prism-alignment, and
///   loaders of HannahRoseKirk/prism-alignment on the Hugging Face hub;
/// - Community Alignment, `community_alignment.csv`: the columns that loaders of facebook/community-alignment-dataset
///   on the Hugging Face hub name;
/// - MultiPref: loaders of allenai/multipref on the Hugging Face hub;
/// - OpenAI's comparisons: `summarize_from_feedback.py` of openai/summarize_from_feedback on the Hugging Face hub;
/// - UltraFeedback: loaders of openbmb/UltraFeedback on the Hugging Face hub;
/// - Personalized Soups: `training_reward_model.py` of github.com/joeljang/RLPHF, with users as in P-RLHF (arXiv
///   2402.05133).
@Suite struct PresetTests {
    func rows(_ preset: DataPreset, _ name: String) throws -> (rows: [PreferenceRow], report: LoadReport) {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let path = folder.appending(path: "Fixtures/Preferences/\(name)").path
        var rows: [PreferenceRow] = []
        // As a chat model would read them.
        let options = LoadOptions(template: .chatml, mapping: preset.mapping)
        let report = try forEachPreference(of: path, options) { row, _ in rows.append(row) }
        #expect(try DataPreset.recognizing(firstFields(of: path)) == preset)
        // In the form of `data.fields`, a preset is the same.
        let written = Array(preset.fields.encoded().utf8)
        #expect(try FieldMapping(JSONValue(parsing: written, at: "fields")) == preset.mapping)
        return (rows, report)
    }

    @Test func prism() throws {
        let (rows, report) = try rows(.prism, "prism.jsonl")
        #expect(rows.map(\.userID) == ["user7", "user7", "user8", "user8"])
        #expect(rows[0].prompt == "What do you think of tea?" && rows[0].responses.count == 4)
        #expect(rows[0].answer == .scores([71, 93, 20, 1]) && rows[1].answer == .scores([60, 88]))
        let tea = Conversation([
            Message(.user, "What do you think of tea?"), Message(.assistant, "I have no taste."),
            Message(.user, "And coffee?"),
        ])
        #expect(rows[1].prompt == tea)
        #expect(rows[2].answer == .scores([50, 50]))
        // Of two chosen responses, one goes into the next prompt.
        #expect(
            rows[3].prompt.messages.map(\.content)
                == ["Is honesty always right?", "It depends.", "On what?", "On harm.", "An example?"]
        )
        #expect(report.identical == 1 && report.answers.scores == 4 && report.answers.ties == 1)
    }

    @Test func communityAlignment() throws {
        let (rows, report) = try rows(.communityAlignment, "community-alignment.csv")
        #expect(rows.map(\.userID) == ["101", "101", "102"])
        #expect(rows.map(\.answer) == [.choice(3), .choice(0), .choice(1)])
        let bread = Conversation([
            Message(.user, "How do I greet a neighbor?"), Message(.assistant, "Bring bread."),
            Message(.user, "Which bread?"),
        ])
        #expect(rows[1].prompt == bread)
        #expect(rows[1].responses == ["Rye.", "White.", "None.", "Any, really."])
        #expect(report.unanswered == 1 && report.rows == 3)
    }

    @Test func multipref() throws {
        let (rows, report) = try rows(.multipref, "multipref.jsonl")
        #expect(rows.map(\.userID) == ["n1", "n2", "e1", "e2", "n1"])
        #expect(rows.map(\.answer) == [.choice(0), .choice(0), .tie, .choice(1), .choice(1)])
        #expect(
            rows[0].prompt == "Name three rivers." && rows[0].responses == ["Nile, Rhine, Po.", "Rivers are long."]
        )
        #expect(report.unanswered == 1)
    }

    @Test func openaiComparisons() throws {
        let (rows, report) = try rows(.openaiComparisons, "openai-comparisons.jsonl")
        #expect(rows.map(\.userID) == ["w1", "w2", "w1"])
        #expect(rows.map(\.answer) == [.choice(0), .choice(1), .choice(0)])
        #expect(
            rows[0].prompt
                == "SUBREDDIT: r/cats\n\nTITLE: My cat\n\nPOST: My cat left home. It came back fat.\n\nTL;DR:"
        )
        #expect(rows[2].prompt == "Article: Rain fell on Monday.\n\nTL;DR:")
        #expect(rows[1].responses == [" I sold a car I miss.", " Cars are sold."] && report.unanswered == 0)
    }

    @Test func ultrafeedback() throws {
        let (rows, _) = try rows(.ultrafeedback, "ultrafeedback.jsonl")
        #expect(rows.map(\.userID) == ["helpfulness", "honesty", "instruction_following", "truthfulness"])
        #expect(rows[0].answer == .scores([3, 5, 2, 1]) && rows[0].responses.count == 4)
        #expect(rows[1].answer == .scores([5, 4, 5]) && rows[1].responses[2] == "I do not know.")
        #expect(rows[3].answer == .scores([5, 5, 5]))
    }

    @Test func personalizedSoups() throws {
        let (rows, _) = try rows(.personalizedSoups, "personalized-soups.jsonl")
        #expect(rows.map(\.userID) == ["1", "2"] && rows.map(\.group) == ["elementary", nil])
        #expect(rows[1].responses == ["Spacetime curves.", "Things fall down."] && rows[1].answer == .pair)
    }

    @Test func aFileWithoutItsPresetIsRecognized() throws {
        let refusal = try #require(throws: Failure.self) {
            try withFile(
                Array(#"{"user_id":"a","user_input":"q","completion_a":"x","completion_b":"y"}"#.utf8),
                name: "data.jsonl"
            ) { try loadPreferences($0) }
        }
        #expect(refusal.message.hasSuffix("use data.preset: personalized-soups (--preset)"), "\(refusal)")
    }
}
