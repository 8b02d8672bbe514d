import ArgumentParser
import ModelTools
import Runs

struct Score: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log-probabilities of given text, and its reward where the model is a reward model.",
        discussion: """
            Each line of the input is {"text"}, {"prompt", "response"} or {"token_ids"}; a prompt is a text or a list \
            of {"role", "content"}, and "complete": true ends the response as in training. With --json each gives a \
            line {"token_ids", "logprobs"}: logprobs[i] is the natural log-probability of token_ids[i+1] given all \
            before it; a reward model adds "reward", and has null for logprobs where its family does not tie \
            embeddings. Examples:

              maxmin score --model runs/quickstart/reference --input texts.jsonl --json
              maxmin score --model models/tulu-2-7b --adapter runs/tulu/reward/group-0 --input texts.jsonl --json
            """
    )

    @OptionGroup var options: ModelOptions

    @OptionGroup var chat: ChatOptions

    @Option(help: "JSON Lines file; - is standard input.")
    var input: String

    @Flag(help: "Print a JSON object a line.")
    var json = false

    func run() throws {
        try requireOneProcess("score")
        var request = ScoreRequest(model: options.request(chat), input: input)
        request.json = json
        try printingLines { try score(request, log: say, emit: $0) }
    }
}
