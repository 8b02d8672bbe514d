import Failures
import LanguageModels
import Randomness
import Text

/// What `maxmin chat` is asked for.
package struct ChatRequest: Sendable {
    package var model: ModelRequest
    /// The system's message; nil: none, or the model's own.
    package var system: String?
    package var maxNewTokens = 256
    package var temperature = 0.7
    package var topP = 1.0
    package var seed: UInt64 = 1

    /// A talk with `model`.
    package init(model: ModelRequest) { self.model = model }
}

/// Answers the lines of a person until there are no more, token by token.
///
/// Under a chat template the turns make one conversation, whose oldest turns go where they no longer fit; without one
/// each line is a prompt of its own. A line that begins with `/` is a command.
///
/// - Parameters:
///   - nextLine: the person's next line, without its end; nil where there are no more.
///   - isInterrupted: whether the person wants no more of the answer under way; what is written of it stays a turn.
///   - log: tells the person a line that is no answer.
///   - write: takes an answer piece by piece, as it is sampled, and a line feed at its end.
/// - Throws: `Failure` where the model cannot be read or gives logits that are not finite.
package func chat(
    _ request: ChatRequest,
    nextLine: () -> String?,
    isInterrupted: () -> Bool = { false },
    log: (String) -> Void,
    write: (String) throws -> Void
) throws {
    let text = try TextModel(request.model, log: log)
    guard text.model.head == .none else {
        throw Failure(.configuration, "is a reward model; chat needs a language model", at: request.model.directory)
    }
    let room = text.model.configuration.contextLength - request.maxNewTokens
    guard room >= text.encoding.leastPrompt else {
        let context = text.model.configuration.contextLength
        throw Failure(
            .usage,
            "leaves no room for a prompt in the model's context of \(context)",
            at: "--max-new-tokens"
        )
    }
    let hasTurns = text.encoding.template != .none
    let opening = request.system.map { [Message(.system, $0)] } ?? []
    guard hasTurns || opening.isEmpty else {
        throw Failure(.usage, "needs a chat template, and the model has none; give --chat-template", at: "--system")
    }
    log(
        hasTurns
            ? "chat_template \(text.encoding.template.rawValue); /reset begins anew, /help lists commands, Ctrl-D ends"
            : "no chat template: each line is a prompt to continue; /help lists commands, Ctrl-D ends"
    )
    var temperature = request.temperature
    var turns = opening
    var answers = 0
    while let line = nextLine() {
        if line.allSatisfy(\.isWhitespace) { continue }
        if line.hasPrefix("/") {
            switch ChatCommand(line) {
            case .reset:
                turns = opening
                log("a new conversation")
            case .temperature(let value?):
                temperature = value
                log("temperature \(value)")
            case .temperature(nil):
                log("/temperature takes a number: 0 (greedy), or 0.000001 to 1000000; it is \(temperature)")
            case .help:
                log(
                    """
                    /reset          begins a new conversation
                    /temperature T  0 is greedy, 1 as the model has it
                    Ctrl-C          ends the answer under way
                    Ctrl-D          ends the chat
                    """
                )
            case nil:
                log("no command: \(line); /help lists them")
            }
            continue
        }
        let asked = Conversation((hasTurns ? turns : []) + [Message(.user, line)])
        if let problem = text.encoding.template.problem(in: asked) {
            log("not sent: the message \(problem)")
            continue
        }
        let (kept, prompt) = text.encoding.prompt(asked, atMost: room)
        guard prompt.count <= room else {
            log("not sent: under the template it does not fit the model's context; /reset, or a shorter --system")
            continue
        }
        if kept.messages.count < asked.messages.count { log("the oldest turns no longer fit, and are left out") }
        if kept.messages.last != asked.messages.last { log("the line is too long: its beginning is left out") }
        if prompt.count > longPrompt { log("reading \(prompt.count) tokens") }
        let answer = try sampleAnswer(
            to: prompt,
            text,
            SamplingOptions(
                maxNewTokens: request.maxNewTokens,
                temperature: Float(temperature),
                topP: Float(request.topP),
                stop: text.encoding.endOfTurn
            ),
            stream: CounterRandom(seed: request.seed, purpose: .sampling, item: answers),
            request.model,
            isInterrupted: isInterrupted,
            write: write
        )
        answers += 1
        // Nothing was said where an answer was interrupted at once.
        turns = kept.messages + (answer.isEmpty ? [] : [Message(.assistant, answer)])
    }
}

/// So many tokens take a while to read, which a person should know.
private let longPrompt = 2048

/// A line that is no message.
private enum ChatCommand {
    case reset
    /// nil: what follows is no temperature.
    case temperature(Double?)
    case help

    init?(_ line: String) {
        let words = line.split(separator: " ")
        switch (words.first, words.count) {
        case ("/reset", 1): self = .reset
        case ("/help", 1): self = .help
        case ("/temperature", _):
            let value = words.count == 2 ? Double(words[1]) : nil
            self = .temperature(value.flatMap { $0 == 0 || (1e-6...1e6).contains($0) ? $0 : nil })
        default: return nil
        }
    }
}

/// A person's wish for no more of an answer.
private struct Interruption: Error {}

/// Samples an answer and writes its text as it grows; gives all of it, or what there was when it was interrupted.
///
/// A character whose bytes are in several tokens is written when all are there.
private func sampleAnswer(
    to prompt: [Int32],
    _ text: TextModel,
    _ options: SamplingOptions,
    stream: CounterRandom,
    _ model: ModelRequest,
    isInterrupted: () -> Bool,
    write: (String) throws -> Void
) throws -> String {
    var tokens: [Int32] = []
    var written = 0
    func show(isWhole: Bool) throws {
        let scalars = text.encoding.tokenizer.text(ofSampled: tokens).unicodeScalars
        // What stands at the end in place of bytes that are not a character yet.
        let end = isWhole ? scalars.count : scalars.count - scalars.reversed().prefix { $0 == "\u{FFFD}" }.count
        guard end > written else { return }
        var more = String.UnicodeScalarView()
        more.append(contentsOf: scalars.dropFirst(written).prefix(end - written))
        written = end
        try write(printable(String(more), keepsLines: true, limit: .max))
    }
    do {
        let sample = try text.model.sample(prompts: [prompt], options: options, streams: [stream]) { _, token in
            if isInterrupted() { throw Interruption() }
            guard token != options.stop else { return }
            tokens.append(token)
            try show(isWhole: false)
        }
        guard model.allowNonFinite || sample[0].isFinite else {
            throw Failure(.internalError, "the model's logits are not finite", at: model.directory)
        }
    } catch is Interruption {}
    try show(isWhole: true)
    try write("\n")
    return text.encoding.text(ofResponse: tokens)
}
