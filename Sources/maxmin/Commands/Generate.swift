import ArgumentParser
import Runs

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Samples responses to given prompts.",
        discussion: """
            Each line of the input is {"prompt"}, a text or a list of {"role", "content"}, or {"token_ids"}. With --json each sample gives a line {"prompt", \
            "response", "token_ids", "logprobs", "finished"}: the response's tokens, the end of its turn included, and their natural \
            log-probabilities under the distribution sampled from. Examples:

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

    @Option(help: "Responses to each prompt.")
    var samples = 1

    @Option(help: "Longest response, in tokens.")
    var maxNewTokens = 64

    @Option(help: "Sampling temperature; 0 is greedy.")
    var temperature = 1.0

    @Option(name: .customLong("top-k"), help: "Sample from this many likeliest tokens; 0: from all.")
    var topK = 0

    @Option(name: .customLong("top-p"), help: "Sample from the smallest set with this probability; 1: from all.")
    var topP = 1.0

    @Option(help: "Seed of the random numbers.")
    var seed: UInt64 = 1

    @Flag(help: "Print a JSON object a sample.")
    var json = false

    func validate() throws {
        guard input != nil || !prompt.isEmpty else { throw ValidationError("Give --prompt or --input.") }
        guard samples >= 1, maxNewTokens >= 1 else {
            throw ValidationError("--samples and --max-new-tokens must be at least 1.")
        }
        guard temperature >= 0, temperature.isFinite else { throw ValidationError("--temperature must be 0 or more.") }
        guard topK >= 0, topP > 0, topP <= 1 else {
            throw ValidationError("--top-k must be 0 or more, and --top-p above 0, at most 1.")
        }
    }

    func run() throws {
        try requireOneProcess("generate")
        var request = GenerateRequest(model: options.model)
        request.adapter = options.adapter
        request.template = chat.chatTemplate
        request.input = input
        request.prompts = prompt
        request.samples = samples
        request.maxNewTokens = maxNewTokens
        request.temperature = temperature
        request.topK = topK
        request.topP = topP
        request.seed = seed
        request.precision = options.precision
        request.threads = options.threads
        request.json = json
        try printingLines { try generate(request, log: say, emit: $0) }
    }
}
