import Failures
import LanguageModels
import Preferences
import StrictJSON
import Text

/// What `maxmin score` is asked for.
package struct ScoreRequest: Sendable {
    /// Results that are not finite are `null` where it takes them.
    package var model: ModelRequest
    package var input: String
    package var json = false

    /// Scores the lines of `input` under `model`.
    package init(model: ModelRequest, input: String) {
        self.model = model
        self.input = input
    }
}

/// Tokens of one pass.
private let tokensAtATime = 8_192

/// Scores each line of the input: log-probabilities of its tokens, and its reward where the model is a reward model,
/// which may have no log-probabilities (`LanguageModel.predictsTokens`).
///
/// A line is `{"text"}`, `{"prompt", "response"}` (encoded apart and under the chat template, as in training) or
/// `{"token_ids"}`. A reward model is trained on responses that end in the token that ends a turn: `"complete": true`
/// puts it there.
package func score(
    _ request: ScoreRequest,
    log: (String) -> Void,
    emit: (String) throws -> Void
) throws {
    let text = try TextModel(request.model, log: log)
    var pending: [InputLine] = []
    var pendingTokens = 0
    func flush() throws {
        try scoreLines(pending, text.model, request, emit: emit)
        pending = []
        pendingTokens = 0
    }
    try forEachInputLine(of: request.input) { fields, location in
        let tokens = try scoredTokens(fields, location, text.encoding)
        try text.check(tokens, at: location)
        if pendingTokens + tokens.count > tokensAtATime { try flush() }
        pending.append(InputLine(location: location, tokens: tokens))
        pendingTokens += tokens.count
    }
    try flush()
}

private func scoredTokens(_ fields: JSONFields, _ location: String, _ encoding: ChatEncoding) throws(Failure) -> [Int32]
{
    if fields.object["token_ids"] != nil { return try fields.tokenIDs("token_ids") }
    if fields.object["text"] != nil { return encoding.tokenizer.encodeSequence(try fields.string("text")) }
    guard fields.object["prompt"] != nil else {
        throw Failure(.badData, "needs \"text\", \"prompt\" with \"response\", or \"token_ids\"", at: location)
    }
    let prompt = try fields.object.prompt("prompt", encoding.template, at: location)
    let isComplete = try fields.optionalBool("complete") ?? false
    return encoding.prompt(prompt) + encoding.response(try fields.string("response"), isComplete: isComplete)
}

/// A line of the input.
private struct InputLine {
    /// Where it is.
    let location: String
    let tokens: [Int32]
}

private func scoreLines(
    _ lines: [InputLine],
    _ model: LanguageModel,
    _ request: ScoreRequest,
    emit: (String) throws -> Void
) throws {
    guard !lines.isEmpty else { return }
    let packed = PackedSequences(lines.map(\.tokens))
    let scores =
        model.predictsTokens
        ? model.tokenScores(of: packed, rows: packed.predictingRows, temperature: 1).logProbabilities : nil
    let rewards = model.head == .reward ? model.rewards(of: packed) : nil
    var next = 0
    for (index, line) in lines.enumerated() {
        let logProbabilities = scores?[next..<(next + line.tokens.count - 1)]
        next += line.tokens.count - 1
        let reward = rewards?[index]
        guard
            request.model.allowNonFinite || (logProbabilities ?? []).allSatisfy(\.isFinite) && reward?.isFinite ?? true
        else {
            throw Failure(
                .internalError,
                "the model's results are not finite; --allow-nonfinite prints them all the same",
                at: line.location
            )
        }
        try emit(describe(line, logProbabilities, reward, json: request.json))
    }
}

private func describe(_ line: InputLine, _ logProbabilities: ArraySlice<Float>?, _ reward: Float?, json: Bool)
    -> String
{
    guard json else {
        let sum = logProbabilities.map { "  log-probability \($0.reduce(0.0) { $0 + Double($1) })" } ?? ""
        return "\(line.tokens.count) tokens" + sum + (reward.map { "  reward \($0)" } ?? "")
    }
    var object: JSONObject = [
        "token_ids": .array(line.tokens.map { .integer(Int($0)) }),
        "logprobs": logProbabilities.map { .array($0.map { JSONValue($0) }) } ?? .null,
    ]
    if let reward { object["reward"] = JSONValue(reward) }
    return JSONValue.object(object).encoded()
}
