package import Failures
import Randomness
import StrictJSON
package import Text

/// A row of a prompts file.
package enum PromptText: Hashable, Sendable {
    /// The whole text is the prompt (`prompt`).
    case whole(Conversation)
    /// The prompt is the text's first tokens (`text`).
    case opening(of: String)
}

/// A prompt as text and as tokens.
package struct Prompt: Equatable, Sendable {
    /// What the response answers or continues; encoding it gives `tokens`.
    package var conversation: Conversation
    /// Token ids, at least one.
    package var tokens: [Int32]

    /// States a prompt.
    package init(_ conversation: Conversation, tokens: [Int32]) {
        self.conversation = conversation
        self.tokens = tokens
    }

    /// What people read of it.
    package var text: String { conversation.text }
}

/// Reads a prompts file: rows with `prompt` (a string or a conversation list) or with `text`, whose opening is the
/// prompt.
///
/// - Throws: `Failure` naming `file:line`, as `loadPreferences` does.
package func loadPromptTexts(
    _ path: String,
    options: LoadOptions = LoadOptions()
) throws(Failure) -> (prompts: [PromptText], report: LoadReport) {
    var report = LoadReport(path: path)
    var prompts: [PromptText] = []
    try forEachRow(of: path, options, &report) { (row, location, report) throws(Failure) in
        let isOpening = !row.has("prompt") && row.has("text")
        let prompt =
            isOpening
            ? PromptText.opening(of: try row.text("text", at: location))
            : .whole(try row.prompt("prompt", options.template, at: location))
        if prompt == .opening(of: "") || prompt == .whole("") {
            report.empty += 1
            return
        }
        report.kept += 1
        prompts.append(prompt)
    }
    return (prompts, report)
}

/// Reads the `text` of every row, for next-token training.
///
/// - Throws: `Failure` naming `file:line`, as `loadPreferences` does.
package func loadTexts(
    _ path: String,
    options: LoadOptions = LoadOptions()
) throws(Failure) -> (texts: [String], report: LoadReport) {
    var report = LoadReport(path: path)
    var texts: [String] = []
    try forEachRow(of: path, options, &report) { (row, location, report) throws(Failure) in
        let text = try row.text("text", at: location)
        if text.isEmpty {
            report.empty += 1
            return
        }
        report.kept += 1
        texts.append(text)
    }
    return (texts, report)
}

/// What became of the rows of a prompts file.
package struct PromptReport: Equatable, Sendable {
    /// Dropped: the text has no more than `openingTokens` tokens, so nothing was left to continue.
    package var tooShort = 0
    /// Dropped: the opening's text does not encode to the same tokens again (it ends inside a word or a character).
    package var unstable = 0
    /// Dropped: the same tokens as an earlier prompt.
    package var duplicates = 0
    /// Whole prompts that lost tokens on the left to fit `maximumTokens`.
    package var truncated = 0
}

/// Turns prompt texts into distinct prompts of at most `maximumTokens` tokens, in the order of the file.
///
/// - Parameters:
///   - openingTokens: how many tokens of a `.opening` text make its prompt.
///   - maximumTokens: longer prompts keep their last tokens.
///   - encoding: how they become tokens; an opening of a text is what a user says.
package func tokenizePrompts(
    _ texts: [PromptText],
    openingTokens: Int,
    maximumTokens: Int,
    encoding: ChatEncoding
) -> (prompts: [Prompt], report: PromptReport) {
    precondition(openingTokens > 0 && maximumTokens > 0, "a prompt needs at least one token")
    var report = PromptReport()
    var prompts: [Prompt] = []
    var seen: Set<[Int32]> = []
    for source in texts {
        let conversation: Conversation
        switch source {
        case .whole(let whole): conversation = whole
        case .opening(let text):
            let tokens = firstTokens(of: text, count: openingTokens + 1, encoding.tokenizer)
            guard tokens.count > openingTokens else {
                report.tooShort += 1
                continue
            }
            guard let opening = stableText(of: Array(tokens[..<openingTokens]), encoding.tokenizer) else {
                report.unstable += 1
                continue
            }
            conversation = Conversation(opening)
        }
        let (kept, tokens) = encoding.prompt(conversation, atMost: maximumTokens)
        if kept != conversation { report.truncated += 1 }
        let prompt = Prompt(kept, tokens: tokens)
        if seen.insert(prompt.tokens).inserted { prompts.append(prompt) } else { report.duplicates += 1 }
    }
    return (prompts, report)
}

/// The first `count` tokens of a text, encoding no more of a long text than they need.
///
/// Tokenizers split at spaces first, so a piece that ends before a space has the whole text's tokens.
private func firstTokens(of text: String, count: Int, _ tokenizer: Tokenizer) -> [Int32] {
    let bytes = text.utf8
    if let limit = bytes.index(bytes.startIndex, offsetBy: 16 * count, limitedBy: bytes.endIndex),
        let space = bytes[limit...].firstIndex(where: { $0 == 0x20 })
    {
        let tokens = tokenizer.encodeSequence(String(text[..<space]))
        if tokens.count >= count { return Array(tokens[..<count]) }
    }
    return Array(tokenizer.encodeSequence(text).prefix(count))
}

/// The text of tokens that has these tokens and no others; nil where there is none.
private func stableText(of tokens: [Int32], _ tokenizer: Tokenizer) -> String? {
    guard let text = try? tokenizer.decode(tokens, skippingSpecialTokens: true) else { return nil }
    return tokenizer.encodeSequence(text) == tokens ? text : nil
}

/// Refuses so few prompts that none would be left for training.
package func requirePrompts(_ count: Int, heldOut: Int, of source: String) throws(Failure) {
    guard count > heldOut else {
        let message = "\(count) distinct prompts, but \(heldOut) are to be held out"
        throw Failure(.badData, "\(message); lower data.held_out_prompts or give more prompts", at: source)
    }
}

/// Keeps `heldOut` prompts apart for evaluation: a random choice of prompts by their tokens, whatever their order.
///
/// - Throws: `Failure(.badData)` where fewer than one prompt would be left for training.
package func splitPrompts(
    _ prompts: [Prompt],
    heldOut: Int,
    seed: UInt64
) throws(Failure) -> (training: [Prompt], heldOut: [Prompt]) {
    try requirePrompts(prompts.count, heldOut: heldOut, of: "data.prompts")
    let keys = prompts.map { prompt in
        var random = CounterRandom(
            seed: seed,
            purpose: .prompts,
            item: Int(truncatingIfNeeded: stableHash(prompt.text))
        )
        return random.next()
    }
    let order = prompts.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    let chosen = Set(order[..<heldOut])
    return (
        prompts.indices.filter { !chosen.contains($0) }.map { prompts[$0] }, order[..<heldOut].map { prompts[$0] }
    )
}
