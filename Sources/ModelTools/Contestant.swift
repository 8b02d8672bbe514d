import Evaluation
import Failures
import LanguageModels
import ModelFiles
import Randomness
import Reporting
import Text

/// Responses that are sampled or scored at once.
let responsesAtATime = 64

func byPrompt<Element>(_ all: [Element], _ each: Int) -> [[Element]] {
    stride(from: 0, to: all.count, by: each).map { Array(all[$0..<$0 + each]) }
}

/// One of the two models with what it answers.
struct Contestant {
    let text: TextModel
    let name: String
    private let allowsNonFinite: Bool
    /// The checksum of its tokenizer's file.
    let tokenizer: String
    /// Prompts × samples.
    var responses: [[JudgedResponse]] = []
    /// Whether each ended by itself.
    var finished: [[Bool]] = []

    init(_ model: ModelRequest, log: (String) -> Void) throws {
        text = try TextModel(model, log: log)
        guard text.model.head == .none else {
            throw Failure(.configuration, "is a reward model; give it as --reward-model", at: model.name)
        }
        name = model.name
        allowsNonFinite = model.allowNonFinite
        tokenizer = try FileSeal(reading: "\(model.directory)/tokenizer.json").xxh64
    }

    var meanTokens: Double {
        let lengths = responses.joined().map { Double($0.responseTokens.count) }
        return lengths.reduce(0, +) / Double(max(1, lengths.count))
    }

    mutating func answer(
        _ prompts: [(conversation: Conversation, location: String)],
        _ request: CompareRequest,
        stream: Int,
        _ progress: ProgressMeter
    ) throws {
        let tokens = try prompts.map { prompt in
            let tokens = text.encoding.prompt(prompt.conversation)
            try text.check(tokens, at: prompt.location, roomFor: request.maxNewTokens)
            return tokens
        }
        let options = SamplingOptions(
            maxNewTokens: request.maxNewTokens,
            temperature: Float(request.temperature),
            stop: text.encoding.endOfTurn
        )
        let total = prompts.count * request.samples
        var sampled: [JudgedResponse] = []
        var ended: [Bool] = []
        progress.begin(name, total: total, unit: "responses")
        for start in stride(from: 0, to: total, by: responsesAtATime) {
            let items = Array(start..<min(start + responsesAtATime, total))
            let samples = text.model.sample(
                prompts: items.map { tokens[$0 / request.samples] },
                options: options,
                streams: items.map {
                    CounterRandom(seed: request.seed, purpose: .evaluation, step: stream, item: $0)
                }
            )
            for (item, sample) in zip(items, samples) {
                let prompt = prompts[item / request.samples]
                guard allowsNonFinite || sample.isFinite else {
                    throw Failure(
                        .internalError,
                        "its logits are not finite after \(prompt.location)",
                        at: name
                    )
                }
                let ownText = sample.finished ? sample.tokens.dropLast() : sample.tokens[...]
                sampled.append(
                    JudgedResponse(
                        prompt: prompt.conversation.text,
                        response: text.encoding.tokenizer.text(ofSampled: ownText),
                        promptTokens: tokens[item / request.samples],
                        responseTokens: sample.tokens
                    )
                )
                ended.append(sample.finished)
            }
            progress.advance(by: items.count)
        }
        progress.end()
        responses = byPrompt(sampled, request.samples)
        finished = byPrompt(ended, request.samples)
    }
}
