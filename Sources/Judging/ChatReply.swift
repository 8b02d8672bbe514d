import Failures
import StrictJSON

/// An endpoint's answer, and what it counted.
struct ChatReply: Equatable {
    var answer: String
    /// Tokens of the request and of the answer; 0 where the endpoint does not say.
    var promptTokens: Int
    var completionTokens: Int

    init(answer: String, promptTokens: Int, completionTokens: Int) {
        self.answer = answer
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
    }

    /// Reads the body of a reply; nil where it is no chat completion.
    init?(body: [UInt8]) {
        guard let value = try? JSONValue(parsing: body, at: "reply"), let object = value.object,
            let message = object["choices"]?.array?.first?.object?["message"]?.object
        else { return nil }
        // Without content: a refusal, or a model whose thoughts took all tokens.
        answer = message["content"]?.string ?? ""
        let usage = object["usage"]?.object
        promptTokens = max(0, usage?["prompt_tokens"]?.integer ?? 0)
        completionTokens = max(0, usage?["completion_tokens"]?.integer ?? 0)
        // No endpoint counts so many; sums of them would not fit 64 bits.
        guard promptTokens <= 1 << 40, completionTokens <= 1 << 40 else { return nil }
    }
}

/// What an endpoint says is wrong: OpenAI's `error.message`, or the beginning of whatever it sent.
func errorText(of body: [UInt8], hiding key: String?) -> String {
    let error = (try? JSONValue(parsing: body, at: "reply"))?.object?["error"]
    let text = error?.object?["message"]?.string ?? error?.string ?? String(decoding: body, as: UTF8.self)
    // Some endpoints repeat the key that they refuse.
    let shown = key.map { text.replacing($0, with: "…") } ?? text
    return printable(shown, limit: 300)
}
