import ArgumentParser
import ModelTools
import Runs

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Samples responses to given prompts.",
        discussion: """
            Each line of the input is {"prompt"}, a text or a list of {"role", "content"}, or {"token_ids"}. With \
            --json each sample gives a line {"prompt", "response", "token_ids", "logprobs", "finished"}: the \
            response's tokens, the end of its turn included, and their natural log-probabilities under the \
            distribution sampled from. Examples:

              maxmin generate --model runs/quickstart/policy/maxmin --prompt "The film was" --samples 3
              maxmin generate --model runs/quickstart/policy/maxmin --input prompts.jsonl --json
            """
    )

    @OptionGroup var options: ModelOptions

    @OptionGroup var chat: ChatOptions

    @Option(help: "JSON Lines file of prompts; - is standard input.")
    var input: String?

    @Option(help: "A prompt; may be given several times.")
    var prompt: [String] = []

    @Option(help: "Responses to each prompt. (default: 1)", transform: whole(counts))
    var samples = 1

    @Option(help: "Longest response, in tokens. (default: 64)", transform: whole(counts))
    var maxNewTokens = 64

    @Option(help: "Sampling temperature; 0 is greedy. (default: 1.0)", transform: decimal(1e-6...1e6, orZero: true))
    var temperature = 1.0

    @Option(
        name: .customLong("top-k"),
        help: "Sample from this many likeliest tokens; 0: from all. (default: 0)",
        transform: whole(0...counts.upperBound)
    )
    var topK = 0

    @Option(
        name: .customLong("top-p"),
        help: "Sample from the smallest set with this probability; 1: from all. (default: 1.0)",
        transform: decimal(1e-6...1)
    )
    var topP = 1.0

    @Option(help: "Seed of the random numbers.")
    var seed: UInt64 = 1

    @Flag(help: "Print a JSON object a sample.")
    var json = false

    func validate() throws {
        guard input != nil || !prompt.isEmpty else { throw ValidationError("Give --prompt or --input.") }
    }

    func run() throws {
        try requireOneProcess("generate")
        var request = GenerateRequest(model: options.request(chat))
        request.input = input
        request.prompts = prompt
        request.samples = samples
        request.maxNewTokens = maxNewTokens
        request.temperature = temperature
        request.topK = topK
        request.topP = topP
        request.seed = seed
        request.json = json
        try printingLines { try generate(request, log: say, emit: $0) }
    }
}
