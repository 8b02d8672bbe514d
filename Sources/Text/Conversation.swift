/// A turn of a conversation.
package struct Message: Hashable, Sendable {
    /// Who speaks.
    package enum Role: String, CaseIterable, Sendable {
        /// States how the assistant is to behave; only at the beginning.
        case system
        /// Asks.
        case user
        /// Answers.
        case assistant
    }

    /// Who speaks.
    package var role: Role
    /// What is said; never a template's own markers or special tokens.
    package var content: String

    /// States a turn.
    package init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }
}

/// What a response answers or continues: a text, which is one message of a user, or several turns.
package struct Conversation: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The turns, the earliest first.
    package var messages: [Message]

    /// A conversation of these turns.
    package init(_ messages: [Message]) { self.messages = messages }

    /// A prompt that is a text.
    package init(_ text: String) { self.init([Message(.user, text)]) }

    /// A prompt that is a text.
    package init(stringLiteral text: String) { self.init(text) }

    /// The turns' contents, joined by line breaks: what people read, and what `chat_template: none` gives the model.
    package var text: String { messages.map(\.content).joined(separator: "\n") }

    /// Two conversations are the same only where their UTF-8 bytes are.
    package static func == (a: Conversation, b: Conversation) -> Bool {
        a.messages.elementsEqual(b.messages) { $0.role == $1.role && $0.content.utf8.elementsEqual($1.content.utf8) }
    }
}
