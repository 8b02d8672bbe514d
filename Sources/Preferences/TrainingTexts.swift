package import Failures
import StrictJSON
package import Text

/// A row of a file of texts to train a language model on.
package enum TrainingText: Equatable, Sendable {
    /// `text`: every token of it is to be predicted.
    case document(String)
    /// `messages`: the tokens of the assistant's answers are.
    case conversation(Conversation)
}

/// A sequence that a language model is trained on, and which of its tokens it is to predict.
package struct TrainingSequence: Equatable, Sendable {
    /// Token ids.
    package var tokens: [Int32]
    /// Ranges of tokens that are predicted, each from 1 on, ascending.
    package var answers: [Range<Int>]

    /// How many tokens are predicted.
    package var predictions: Int { answers.reduce(0) { $0 + $1.count } }

    /// States a sequence.
    package init(tokens: [Int32], answers: [Range<Int>]) {
        self.tokens = tokens
        self.answers = answers
    }
}

/// Reads a file of rows with `text`, or with `messages`, a conversation that the assistant ends.
///
/// - Parameter template: that of the conversations; nil: the model's own, which is not known yet.
/// - Throws: `Failure` naming `file:line`, as `loadPreferences` does.
package func loadTrainingTexts(
    _ path: String,
    options: LoadOptions = LoadOptions(),
    under template: ChatTemplate?
) throws(Failure) -> (texts: [TrainingText], report: LoadReport) {
    var report = LoadReport(path: path)
    var texts: [TrainingText] = []
    try forEachRow(of: path, options, &report) { (row, location, report) throws(Failure) in
        if row.has("messages") {
            guard row["messages"]?.array != nil else {
                throw Failure(.badData, "field \"messages\" must be a list of messages", at: location)
            }
            let conversation = try row.conversation("messages", at: location)
            if let problem = conversation.trainingProblem(under: template) {
                throw Failure(.badData, "\"messages\" \(problem)", at: location)
            }
            texts.append(.conversation(conversation))
        } else {
            let text = try row.text("text", at: location)
            if text.isEmpty {
                report.empty += 1
                return
            }
            texts.append(.document(text))
        }
        report.kept += 1
    }
    return (texts, report)
}

/// Texts as sequences of at most `maximumTokens` tokens, cut at the end; nil for one that is left without a token to
/// predict.
///
/// A document ends with end-of-text; a conversation with the end of its last answer.
package func tokenize(
    _ text: TrainingText,
    maximumTokens: Int,
    endOfText: Int32?,
    encoding: ChatEncoding
) -> TrainingSequence? {
    let whole: TrainingTokens
    switch text {
    case .document(let text):
        let prefix = encoding.tokenizer.prefix
        let tokens = prefix + encoding.tokenizer.encode(text) + (endOfText.map { [$0] } ?? [])
        whole = TrainingTokens(tokens: tokens, answers: [prefix.count..<tokens.count])
    case .conversation(let conversation):
        whole = encoding.training(conversation)
    }
    let tokens = Array(whole.tokens.prefix(maximumTokens))
    // Nothing predicts the first token.
    let answers = whole.answers.map { $0.clamped(to: min(1, tokens.count)..<tokens.count) }.filter { !$0.isEmpty }
    return answers.isEmpty ? nil : TrainingSequence(tokens: tokens, answers: answers)
}
