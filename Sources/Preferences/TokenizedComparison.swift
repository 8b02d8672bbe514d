package import Failures
import Randomness
package import Text

/// A comparison as reward models see it.
package struct TokenizedComparison: Equatable, Sendable {
    /// Of each response, the ranked ones first: prompt, response and, where the response is complete, the end of its
    /// turn, without padding.
    ///
    /// They share the prompt, and what the responses have in common.
    package let run: SequenceRun
    /// How many of the responses are ranked.
    package let ranked: Int
    /// How much the comparison counts.
    package let weight: Double
    /// Hash of the prompt's text, so that a split can keep comparisons of one prompt together.
    package let promptHash: UInt64

    /// States a comparison in tokens.
    package init(_ sequences: [[Int32]], ranked: Int = 1, weight: Double = 1, promptHash: UInt64 = 0) {
        precondition(1..<sequences.count ~= ranked, "\(ranked) of \(sequences.count) responses are ranked")
        self.ranked = ranked
        self.weight = weight
        self.promptHash = promptHash
        let sharedTokens = sequences.dropFirst().reduce(sequences[0].count) { shared, sequence in
            min(shared, zip(sequences[0], sequence).prefix { $0 == $1 }.count, sequence.count - 1)
        }
        run = SequenceRun(sequences, sharedTokens: sharedTokens)
    }

    /// A hash of the responses, whatever their order.
    var responsesHash: UInt64 {
        sequences.reduce(0) { sum, sequence in
            var hash = FNV1a()
            hash.add(sequence.map(UInt32.init(bitPattern:)))
            return sum &+ hash.value
        }
    }

    /// The sequences of the responses.
    package var sequences: [[Int32]] { run.sequences }
}

/// Sequences that begin with the same tokens, side by side in a pass.
package struct SequenceRun: Equatable, Sendable {
    /// One or more, of one token at least.
    package let sequences: [[Int32]]
    /// How many tokens all begin with; every sequence but the first keeps one of its own.
    package let sharedTokens: Int

    /// States sequences and what they share.
    package init(_ sequences: [[Int32]], sharedTokens: Int) {
        self.sequences = sequences
        self.sharedTokens = sharedTokens
    }

    /// Tokens of a pass over them, what they share counted once: the work that they make.
    package var distinctTokens: Int {
        sequences.reduce(0) { $0 + $1.count } - (sequences.count - 1) * sharedTokens
    }
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
    /// Comparisons dropped because two responses are the same after truncation.
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

/// Tokenizes users' comparisons; prompt and responses are encoded apart, so that all sequences share the prompt's
/// tokens.
///
/// - Throws: `Failure(.badData)` naming the user where an id lies outside the vocabulary or nothing is left;
///   `Failure(.configuration)` where a template leaves no room for a text.
package func tokenize(
    _ users: [User<Comparison>],
    _ options: TokenizationOptions,
    encoding: ChatEncoding
) throws(Failure) -> (users: [User<TokenizedComparison>], report: TokenizationReport) {
    guard options.maximumLength > encoding.leastPrompt else {
        let message =
            "leaves no room in \(options.maximumLength) tokens for a prompt under the chat template and a response"
        throw Failure(.configuration, "\(message); raise it", at: "data.max_length")
    }
    var report = TokenizationReport()
    var result: [User<TokenizedComparison>] = []
    for user in users.sorted(by: { precedes($0.id, $1.id) }) {
        var tokenized = User<TokenizedComparison>(id: user.id, group: user.group, comparisons: [])
        for comparison in user.comparisons {
            guard let fitted = fit(comparison, encoding, options.maximumLength, &report) else { continue }
            for token in fitted.sequences.joined() where token < 0 || token >= options.vocabularySize {
                let message = "token id \(token) outside the vocabulary of \(options.vocabularySize)"
                throw Failure(.badData, "\(message); is this the model's tokenizer?", at: "user \(user.id)")
            }
            tokenized.comparisons.append(fitted)
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
    let whole = comparison.responses.map { encoding.response($0.text, isComplete: $0.isComplete) }
    guard !whole.contains(where: \.isEmpty) else {
        report.empty += 1
        return nil
    }
    // One prompt token stays, so that every response still has a context.
    let responses = whole.map { $0.prefix(maximumLength - encoding.leastPrompt) }
    guard Set(responses).count == responses.count else {
        report.identical += 1
        return nil
    }
    let longest = responses.reduce(0) { max($0, $1.count) }
    let (kept, prompt) = encoding.prompt(comparison.prompt, atMost: maximumLength - longest)
    if zip(responses, whole).contains(where: { $0.count < $1.count }) { report.truncatedResponses += 1 }
    if kept != comparison.prompt { report.truncatedPrompts += 1 }
    return TokenizedComparison(
        responses.map { prompt + $0 },
        ranked: comparison.ranked,
        weight: comparison.weight,
        promptHash: stableHash(comparison.prompt.text)
    )
}
