import Failures
import Runs
import StrictJSON
import Text

/// What `maxmin tokenize` is asked for.
package struct TokenizeRequest: Sendable {
    package var model: String
    package var input: String
    /// Turns `{"ids"}` into text instead of `{"text"}` into ids.
    package var decode = false
    /// Whether the text of special tokens becomes those tokens.
    package var specialTokens = false
    package var json = false

    /// Tokenizes the lines of `input` with the tokenizer of `model`.
    package init(model: String, input: String) {
        self.model = model
        self.input = input
    }
}

/// Turns each line's text into token ids, or back.
package func tokenize(_ request: TokenizeRequest, emit: (String) throws -> Void) throws {
    let tokenizer = try Tokenizer(directory: request.model)
    try forEachInputLine(of: request.input) { fields, location in
        if request.decode {
            let ids = try fields.tokenIDs("ids")
            let text: String
            do throws(Failure) {
                text = try tokenizer.decode(ids)
            } catch {
                throw Failure(error.code, error.message, at: location)
            }
            let object: JSONValue = ["text": .string(text)]
            try emit(request.json ? object.encoded() : text)
        } else {
            let ids = tokenizer.encodeSequence(
                try fields.string("text"),
                specialTokens: request.specialTokens ? .recognized : .asText
            )
            let object: JSONValue = ["ids": .array(ids.map { .integer(Int($0)) })]
            try emit(request.json ? object.encoded() : ids.map(String.init).joined(separator: " "))
        }
    }
}
