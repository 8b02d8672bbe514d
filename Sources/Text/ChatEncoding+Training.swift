/// A conversation as a model is trained on it.
package struct TrainingTokens: Equatable, Sendable {
    /// All of its tokens, up to the end of the last answer.
    package var tokens: [Int32]
    /// Where the assistant's answers are among them, each with the token that ends its turn.
    package var answers: [Range<Int>]

    /// States tokens.
    package init(tokens: [Int32], answers: [Range<Int>]) {
        self.tokens = tokens
        self.answers = answers
    }
}

extension ChatEncoding {
    /// The tokens of a conversation whose last turn is the assistant's, and which of them are answers.
    ///
    /// An answer has the tokens that it has as a response, so that the model is trained on what it will sample; what
    /// stands before it has those of a prompt. What a template puts behind the last answer's end is left out.
    package func training(_ conversation: Conversation) -> TrainingTokens {
        let messages = withSystemMessage(conversation).messages
        var result = TrainingTokens(tokens: [], answers: [])
        var rendered: [ChatPiece] = []
        for turn in messages.indices where messages[turn].role == .assistant {
            let prompt = template.pieces(of: Conversation(Array(messages[..<turn]))).flatMap(\.units)
            precondition(prompt.starts(with: rendered), "a template renders a turn as a response does")
            result.tokens += encode(Array(prompt.dropFirst(rendered.count)), isStart: rendered.isEmpty)
            let answer = response(messages[turn].content, isComplete: true)
            result.answers.append(result.tokens.count..<result.tokens.count + answer.count)
            result.tokens += answer
            let text = ChatPiece.text(template.responseText(messages[turn].content, isComplete: true))
            let end = template.tokens.last.map(ChatPiece.token) ?? .end
            rendered = prompt + text.units + [end]
        }
        return result
    }
}

extension Conversation {
    /// Why a model cannot be trained on its answers under a template; nil where it can.
    ///
    /// - Parameter template: nil: the model's own, which is not known yet.
    package func trainingProblem(under template: ChatTemplate?) -> String? {
        guard messages.contains(where: { $0.role == .assistant }) else {
            return "has no answer; add a message with the role assistant"
        }
        guard messages.last?.role == .assistant else {
            return "must end with a message of the role assistant; leave out what has no answer"
        }
        if messages.contains(where: { $0.role == .assistant && $0.content.isEmpty }) { return "has an empty answer" }
        guard let template else { return nil }
        if template == .none {
            return messages.count > 2
                ? "has several turns, which chat_template none does not hold apart; set data.chat_template" : nil
        }
        // Templates render prompts, which end with the user.
        return template.problem(in: Conversation(messages + [Message(.user, "")]))
    }
}

extension ChatPiece {
    /// The piece in parts that can be compared: texts by scalars, since templates join and part them.
    fileprivate var units: [ChatPiece] {
        guard case .text(let text) = self else { return [self] }
        return text.unicodeScalars.map { .text(String($0)) }
    }
}
