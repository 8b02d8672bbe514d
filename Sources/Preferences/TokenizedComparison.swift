package import Failures
package import Text

/// A comparison as the reward models see it.
package struct TokenizedComparison: Equatable, Sendable {
    /// Prompt, chosen response and, where the response is complete, the end of its turn.
    package var chosen: [Int32]
    /// Prompt, rejected response and, where the response is complete, the end of its turn.
    package var rejected: [Int32]
    /// How many tokens of both are the prompt.
    package var promptLength: Int

    /// States a comparison in tokens.
    package init(chosen: [Int32], rejected: [Int32], promptLength: Int) {
        self.chosen = chosen
        self.rejected = rejected
        self.promptLength = promptLength
    }

    /// Tokens of the prompt and both responses: the work that this comparison makes.
    package var tokens: Int { chosen.count + rejected.count - promptLength }
}

/// A user's comparisons in tokens; `comparisons[i]` belongs to the same choice as before tokenizing unless it was
/// dropped.
package struct TokenizedUser: Equatable, Sendable {
    /// The user's id.
    package var id: String
    /// The group that the data names.
    package var group: String?
    /// The comparisons that fit, in order.
    package var comparisons: [TokenizedComparison]
    /// Text hash of each comparison's prompt, so that a split can keep comparisons of one prompt together.
    package var promptHashes: [UInt64]

    /// Describes a user.
    package init(id: String, group: String? = nil, comparisons: [TokenizedComparison], promptHashes: [UInt64]) {
        precondition(
            comparisons.count == promptHashes.count,
            "\(comparisons.count) comparisons, \(promptHashes.count) prompt hashes"
        )
        self.id = id
        self.group = group
        self.comparisons = comparisons
        self.promptHashes = promptHashes
    }

    /// Tokens of all comparisons.
    package var tokens: Int { comparisons.reduce(0) { $0 + $1.tokens } }
}

/// How text becomes the tokens of comparisons.
package struct TokenizationOptions: Sendable {
    /// Longest sequence of prompt, response and end of turn.
    package var maximumLength: Int
    /// Ids must lie below this.
    package var vocabularySize: Int

    /// States the options.
    package init(maximumLength: Int, vocabularySize: Int) {
        self.maximumLength = maximumLength
        self.vocabularySize = vocabularySize
    }
}

/// What tokenizing did to the comparisons.
package struct TokenizationReport: Equatable, Sendable {
    /// Comparisons kept.
    package var kept = 0
    /// Comparisons whose prompt lost tokens on the left.
    package var truncatedPrompts = 0
    /// Comparisons with a response too long even beside a single prompt token; the response lost tokens on the right.
    package var truncatedResponses = 0
    /// Comparisons dropped because a response has no token.
    package var empty = 0
    /// Comparisons dropped because both responses are the same after truncation.
    package var identical = 0
    /// Users dropped because none of their comparisons was left.
    package var usersWithoutComparisons = 0

    /// A report of nothing.
    package init() {}

    /// One line for each thing that a person should know.
    package var warnings: [String] {
        var lines: [String] = []
        if truncatedPrompts > 0 {
            lines.append("\(truncatedPrompts) comparisons: prompt cut on the left to fit max_length")
        }
        if truncatedResponses > 0 { lines.append("\(truncatedResponses) comparisons: response cut to fit max_length") }
        if empty > 0 { lines.append("\(empty) comparisons with an empty response dropped") }
        if identical > 0 { lines.append("\(identical) comparisons dropped: responses do not differ within max_length") }
        if usersWithoutComparisons > 0 { lines.append("\(usersWithoutComparisons) users have no usable comparison") }
        return lines
    }
}

/// Tokenizes users' comparisons; prompt and responses are encoded apart, so that both sequences share the prompt's
/// tokens.
///
/// - Throws: `Failure(.badData)` naming the user where an id lies outside the vocabulary or nothing is left;
///   `Failure(.configuration)` where a template leaves no room for a text.
package func tokenize(
    _ users: [User],
    _ options: TokenizationOptions,
    encoding: ChatEncoding
) throws(Failure) -> (users: [TokenizedUser], report: TokenizationReport) {
    guard options.maximumLength > encoding.leastPrompt else {
        let message =
            "leaves no room in \(options.maximumLength) tokens for a prompt under the chat template and a response"
        throw Failure(.configuration, "\(message); raise it", at: "data.max_length")
    }
    var report = TokenizationReport()
    var result: [TokenizedUser] = []
    for user in users.sorted(by: { precedes($0.id, $1.id) }) {
        var tokenized = TokenizedUser(id: user.id, group: user.group, comparisons: [], promptHashes: [])
        for comparison in user.comparisons {
            guard let fitted = fit(comparison, encoding, options.maximumLength, &report) else { continue }
            for token in fitted.chosen + fitted.rejected where token < 0 || token >= options.vocabularySize {
                let message = "token id \(token) outside the vocabulary of \(options.vocabularySize)"
                throw Failure(.badData, "\(message); is this the model's tokenizer?", at: "user \(user.id)")
            }
            tokenized.comparisons.append(fitted)
            tokenized.promptHashes.append(stableHash(comparison.prompt.text))
            report.kept += 1
        }
        if tokenized.comparisons.isEmpty {
            report.usersWithoutComparisons += 1
        } else {
            result.append(tokenized)
        }
    }
    guard report.kept > 0 else {
        throw Failure(.badData, "no comparison is left; raise max_length or check the data", at: "data.preferences")
    }
    return (result, report)
}

private func fit(
    _ comparison: Comparison,
    _ encoding: ChatEncoding,
    _ maximumLength: Int,
    _ report: inout TokenizationReport
) -> TokenizedComparison? {
    let wholeChosen = encoding.response(comparison.chosen, isComplete: comparison.chosenIsComplete)
    let wholeRejected = encoding.response(comparison.rejected, isComplete: comparison.rejectedIsComplete)
    guard !wholeChosen.isEmpty, !wholeRejected.isEmpty else {
        report.empty += 1
        return nil
    }
    // One prompt token stays, so that every response still has a context.
    let responseRoom = maximumLength - encoding.leastPrompt
    let chosen = wholeChosen.prefix(responseRoom)
    let rejected = wholeRejected.prefix(responseRoom)
    guard chosen != rejected else {
        report.identical += 1
        return nil
    }
    let room = maximumLength - max(chosen.count, rejected.count)
    let (kept, prompt) = encoding.prompt(comparison.prompt, atMost: room)
    if chosen.count < wholeChosen.count || rejected.count < wholeRejected.count { report.truncatedResponses += 1 }
    if kept != comparison.prompt { report.truncatedPrompts += 1 }
    return TokenizedComparison(chosen: prompt + chosen, rejected: prompt + rejected, promptLength: prompt.count)
}
