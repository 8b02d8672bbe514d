import ArgumentParser
import ModelTools
import Runs

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Token ids of given text, or the text of token ids.",
        discussion: """
            Each line of the input is {"text"}, or {"ids"} with --decode; with --json each gives a line {"ids"}, or \
            {"text"}. The text of a special token such as <|endoftext|> is ordinary text unless --special-tokens is \
            given. Example:

              maxmin tokenize --model runs/quickstart/reference --input texts.jsonl --json
            """
    )

    @Option(help: "Directory with tokenizer.json.")
    var model: String

    @Option(help: "JSON Lines file; - is standard input.")
    var input: String

    @Flag(help: "Turn ids into text.")
    var decode = false

    @Flag(help: "Recognize special tokens in text, as the tokenizers library does.")
    var specialTokens = false

    @Flag(help: "Print a JSON object a line.")
    var json = false

    func run() throws {
        try requireOneProcess("tokenize")
        var request = TokenizeRequest(model: model, input: input)
        request.decode = decode
        request.specialTokens = specialTokens
        request.json = json
        try printingLines { try tokenize(request, emit: $0) }
    }
}
