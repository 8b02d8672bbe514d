import Failures
import LanguageModels
import Preferences
import Randomness
import StrictJSON
import Text

/// What `maxmin generate` is asked for.
package struct GenerateRequest: Sendable {
    package var model: ModelRequest
    /// Path of a JSON Lines file of prompts, `-` for standard input; nil where `prompts` are given.
    package var input: String?
    package var prompts: [String] = []
    package var samples = 1
    package var maxNewTokens = 64
    package var temperature = 1.0
    package var topK = 0
    package var topP = 1.0
    package var seed: UInt64 = 1
    package var json = false

    /// Samples from `model`.
    package init(model: ModelRequest) { self.model = model }
}

/// Samples of one batch.
private let samplesAtATime = 64

private struct PromptLine {
    let text: String
    let tokens: [Int32]
}

/// Samples responses to each prompt: lines `{"prompt"}` or `{"token_ids"}`, or texts given directly.
///
/// A response depends on the seed, its prompt's number and its own number alone.
package func generate(
    _ request: GenerateRequest,
    log: (String) -> Void,
    emit: (String) throws -> Void
) throws {
    let text = try TextModel(request.model, log: log)
    guard text.model.head == .none else {
        throw Failure(.configuration, "is a reward model; generate needs a language model", at: request.model.directory)
    }
    var lines: [PromptLine] = []
    for (index, prompt) in request.prompts.enumerated() {
        let location = "--prompt \(index + 1)"
        let fields = try JSONFields(.object(["prompt": .string(prompt)]), at: location)
        lines.append(try promptLine(fields, location, text))
    }
    if let input = request.input {
        try forEachInputLine(of: input) { fields, location in
            lines.append(try promptLine(fields, location, text))
        }
    }
    let options = SamplingOptions(
        maxNewTokens: request.maxNewTokens,
        temperature: Float(request.temperature),
        topK: request.topK,
        topP: Float(request.topP),
        stop: text.encoding.endOfTurn
    )
    let total = lines.count * request.samples
    for start in stride(from: 0, to: total, by: samplesAtATime) {
        let items = Array(start..<min(start + samplesAtATime, total))
        let samples = text.model.sample(
            prompts: items.map { lines[$0 / request.samples].tokens },
            options: options,
            streams: items.map { CounterRandom(seed: request.seed, purpose: .sampling, item: $0) }
        )
        for (item, sample) in zip(items, samples) {
            guard request.model.allowNonFinite || sample.isFinite else {
                throw Failure(
                    .internalError,
                    "the model's logits after prompt \(item / request.samples + 1) are not finite; "
                        + "--allow-nonfinite prints what it draws all the same",
                    at: request.model.directory
                )
            }
            let own = sample.finished ? sample.tokens.dropLast() : sample.tokens[...]
            let response = text.encoding.tokenizer.text(ofSampled: own)
            try emit(describe(sample, prompt: lines[item / request.samples].text, response, json: request.json))
        }
    }
}

/// The prompt of a line, which leaves room for a response.
private func promptLine(_ fields: JSONFields, _ location: String, _ text: TextModel) throws(Failure) -> PromptLine {
    let line: PromptLine
    if fields.object["token_ids"] != nil {
        let tokens = try fields.tokenIDs("token_ids")
        try text.check(tokens, at: location, roomFor: 1)
        let prompt = try text.encoding.tokenizer.decode(tokens, skippingSpecialTokens: true)
        line = PromptLine(text: prompt, tokens: tokens)
    } else {
        let conversation = try fields.object.prompt("prompt", text.encoding.template, at: location)
        line = PromptLine(text: conversation.text, tokens: text.encoding.prompt(conversation))
        try text.check(line.tokens, at: location, roomFor: 1)
    }
    return line
}

private func describe(_ sample: Sample, prompt: String, _ response: String, json: Bool) -> String {
    guard json else { return "\(prompt)\(response)\n" }
    let object: JSONValue = [
        "prompt": .string(prompt), "response": .string(response),
        "token_ids": .array(sample.tokens.map { .integer(Int($0)) }),
        "logprobs": .array(sample.logProbabilities.map { JSONValue($0) }), "finished": .bool(sample.finished),
    ]
    return object.encoded()
}
