/// A turn of a conversation.
public struct Message: Hashable, Sendable {
    /// Who speaks.
    public enum Role: String, CaseIterable, Sendable {
        /// States how the assistant is to behave; only at the beginning.
        case system
        /// Asks.
        case user
        /// Answers.
        case assistant
    }

    /// Who speaks.
    public var role: Role
    /// What is said; never a template's own markers or special tokens.
    public var content: String

    /// States a turn.
    public init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }
}

/// What a response answers or continues: a text, which is one message of a user, or several turns.
public struct Conversation: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The turns, the earliest first.
    public var messages: [Message]

    /// A conversation of these turns.
    public init(_ messages: [Message]) { self.messages = messages }

    /// A prompt that is a text.
    public init(_ text: String) { self.init([Message(.user, text)]) }

    /// A prompt that is a text.
    public init(stringLiteral text: String) { self.init(text) }

    /// The turns' contents, joined by line breaks: what people read, and what `chat_template: none` gives the model.
    public var text: String { messages.map(\.content).joined(separator: "\n") }

    /// Two conversations are the same only where their UTF-8 bytes are.
    public static func == (a: Conversation, b: Conversation) -> Bool {
        a.messages.elementsEqual(b.messages) { $0.role == $1.role && $0.content.utf8.elementsEqual($1.content.utf8) }
    }
}
