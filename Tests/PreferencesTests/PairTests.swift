import Failures
import Testing
import Text

@testable import Preferences

/// The forms that TRL's trainers read.
@Suite struct PairTests {
    func load(_ fields: String) throws -> Comparison {
        try withFile(Array("{\"user_id\":3,\(fields)}".utf8), name: "data.jsonl") { path in
            let users = try loadPreferences(path).users
            #expect(users.map(\.id) == ["3"])
            return users[0].comparisons[0]
        }
    }

    let question = #"{"role":"user","content":"q"}"#
    let system = #"{"role":"system","content":"s"}"#

    func answer(_ text: String) -> String { #"{"role":"assistant","content":"\#(text)"}"# }

    @Test func conversationsThatAreTheResponse() throws {
        let comparison = try load(
            #""prompt":[\#(question)],"chosen":[\#(answer("a"))],"rejected":[\#(answer("b"))]"#
        )
        #expect(comparison == Comparison(prompt: "q", chosen: "a", rejected: "b"))
    }

    @Test func conversationsThatBeginWithThePrompt() throws {
        let before = "\(system),\(question)"
        let both = #""chosen":[\#(before),\#(answer("a"))],"rejected":[\#(before),\#(answer("b"))]"#
        let prompt = Conversation([Message(.system, "s"), Message(.user, "q")])
        let expected = Comparison(prompt: prompt, chosen: "a", rejected: "b")
        #expect(try load(both) == expected)
        #expect(try load(#""prompt":"q",\#(both)"#) == expected)
        #expect(try load(#""prompt":null,\#(both)"#) == expected)
    }

    @Test(arguments: [
        (
            #""chosen":"\n\nHuman: Hi\n\nAssistant: I am","rejected":"\n\nHuman: Hi\n\nAssistant: I see""#,
            "\n\nHuman: Hi\n\nAssistant:", " I am", " I see"
        ),
        (#""chosen":"The film was a joy.","rejected":"The film was awful.""#, "The film was", " a joy.", " awful."),
        (#""chosen":"one two","rejected":"one two three""#, "one", " two", " two three"),
        (#""chosen":"Äpfel sind rot","rejected":"Äpfel sind grün""#, "Äpfel sind", " rot", " grün"),
    ]) func textsBeginWithThePrompt(fields: String, prompt: String, chosen: String, rejected: String) throws {
        let expected = Comparison(prompt: Conversation(prompt), chosen: Response(chosen), rejected: Response(rejected))
        #expect(try load(fields) == expected)
    }

    @Test(arguments: [
        (#""chosen":"yes","rejected":"no""#, "field \"prompt\" is missing, and"),
        (#""chosen":" yes","rejected":" no""#, "do not begin with one"),
        (#""chosen":"yes","rejected":"yes""#, "do not begin with one"),
        (
            #""chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]"#,
            "\"chosen\" has no message before the response"
        ),
        (
            #""prompt":"p","chosen":[{"role":"user","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]"#,
            "the last message of \"chosen\" must be the assistant's"
        ),
        (
            #""prompt":"p","chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"#
                + #""rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]"#,
            "\"prompt\" is not what the messages of \"chosen\" begin with"
        ),
        (
            #""chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"#
                + #""rejected":[{"role":"user","content":"Q"},{"role":"assistant","content":"b"}]"#,
            "differ before their last message"
        ),
        (#""prompt":"p","chosen":[],"rejected":[]"#, "\"chosen\" is an empty conversation"),
        (#""prompt":"p","chosen":"x","rejected":[]"#, "\"rejected\" is an empty conversation"),
    ]) func refusesWhatIsNoPair(fields: String, reason: String) throws {
        let refusal = try #require(throws: Failure.self) { try load(fields) }
        #expect(refusal.code == .badData && refusal.message.contains(reason), "\(refusal.message)")
        #expect(refusal.location?.hasSuffix("data.jsonl:1") == true)
    }
}
