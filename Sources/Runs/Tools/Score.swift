internal import Failures
internal import LanguageModels
internal import Preferences
internal import StrictJSON
package import Text

/// What `maxmin score` is asked for.
package struct ScoreRequest: Sendable {
    package var model: String
    package var input: String
    /// PEFT directory, used over `model`.
    package var adapter: String?
    /// The chat template of prompts; nil: the one that the model was trained under.
    package var template: ChatTemplate?
    package var precision = ModelSection.Precision.fp32
    package var threads = 1
    package var json = false

    /// Scores the lines of `input` under `model`.
    package init(model: String, input: String) {
        self.model = model
        self.input = input
    }
}

/// Tokens of one pass.
private let tokensAtATime = 8_192

/// Scores each line of the input: log-probabilities of its tokens, and its reward where the model is a reward model.
///
/// A line is `{"text"}`, `{"prompt", "response"}` (encoded apart and under the chat template, as in training) or `{"token_ids"}`.
/// A reward model is trained on responses that end in the token that ends a turn: `"complete": true` puts it there.
package func score(
    _ request: ScoreRequest,
    log: (String) -> Void,
    emit: (String) throws -> Void
) throws {
    let text = try TextModel(
        directory: request.model,
        adapter: request.adapter,
        template: request.template,
        precision: request.precision,
        threads: request.threads,
        log: log
    )
    var pending: [[Int32]] = []
    var pendingTokens = 0
    func flush() throws {
        try scoreLines(pending, model: text.model, json: request.json, emit: emit)
        pending = []
        pendingTokens = 0
    }
    try forEachInputLine(of: request.input) { fields, place in
        let tokens = try scoredTokens(fields, place, text.encoding)
        try text.check(tokens, at: place)
        if pendingTokens + tokens.count > tokensAtATime { try flush() }
        pending.append(tokens)
        pendingTokens += tokens.count
    }
    try flush()
}

private func scoredTokens(_ fields: JSONFields, _ place: String, _ encoding: ChatEncoding) throws(Failure) -> [Int32] {
    if fields.object["token_ids"] != nil { return try fields.tokenIDs("token_ids") }
    if fields.object["text"] != nil { return encoding.tokenizer.encodeSequence(try fields.string("text")) }
    guard fields.object["prompt"] != nil else {
        throw Failure(.badData, "needs \"text\", \"prompt\" with \"response\", or \"token_ids\"", at: place)
    }
    let prompt = try fields.object.prompt("prompt", encoding.template, at: place)
    let isComplete = try fields.optionalBool("complete") ?? false
    return encoding.prompt(prompt) + encoding.response(try fields.string("response"), isComplete: isComplete)
}

private func scoreLines(
    _ sequences: [[Int32]],
    model: LanguageModel,
    json: Bool,
    emit: (String) throws -> Void
) throws {
    guard !sequences.isEmpty else { return }
    let packed = PackedSequences(sequences)
    let logProbabilities = model.tokenScores(of: packed, rows: packed.predictingRows, temperature: 1).logProbabilities
    let rewards: [Float]? = model.head == .reward ? model.rewards(of: packed) : nil
    var next = 0
    for (index, tokens) in sequences.enumerated() {
        let scores = logProbabilities[next..<(next + tokens.count - 1)]
        next += tokens.count - 1
        if json {
            var object: JSONValue = [
                "token_ids": .array(tokens.map { .integer(Int($0)) }), "logprobs": .array(scores.map { JSONValue($0) }),
            ]
            if let rewards { object = object.adding("reward", JSONValue(rewards[index])) }
            try emit(object.encoded())
        } else {
            let sum = scores.reduce(0.0) { $0 + Double($1) }
            let reward = rewards.map { "  reward \($0[index])" } ?? ""
            try emit("\(tokens.count) tokens  log-probability \(sum)\(reward)")
        }
    }
}

extension JSONValue {
    /// This object with one member more.
    func adding(_ key: String, _ value: JSONValue) -> JSONValue {
        guard var object else { return self }
        object[key] = value
        return .object(object)
    }
}
