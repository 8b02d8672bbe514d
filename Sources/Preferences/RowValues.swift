package import Failures
package import StrictJSON
package import Text

extension JSONObject {
    /// Whether there is a value other than null.
    func has(_ key: String) -> Bool { self[key].map { !$0.isNull } ?? false }

    /// A required string.
    func text(_ key: String, at location: String) throws(Failure) -> String {
        let value = try required(key, at: location)
        guard let text = value.string else { throw mismatch(key, "a string", value, at: location) }
        return text
    }

    /// A required string or whole number, as text.
    func identifier(_ key: String, at location: String) throws(Failure) -> String {
        let value = try required(key, at: location)
        let isWhole = value.number.map { $0 == $0.rounded() } ?? (value.string != nil)
        guard isWhole, let text = value.plainText else {
            throw mismatch(key, "a string or a whole number", value, at: location)
        }
        return text
    }

    private func required(_ key: String, at location: String) throws(Failure) -> JSONValue {
        guard let value = self[key] else {
            throw Failure(.badData, "field \"\(key)\" is missing\(remedy(for: key, among: keys))", at: location)
        }
        return value
    }

    private func mismatch(_ key: String, _ wish: String, _ found: JSONValue, at location: String) -> Failure {
        let empty = found.isNull ? " (or an empty cell)" : ""
        return Failure(.badData, "field \"\(key)\" must be \(wish), found \(found.kind)\(empty)", at: location)
    }

    /// A boolean that may be absent; CSV writes it `true` or `false`.
    func flag(_ key: String, default missing: Bool, at location: String) throws(Failure) -> Bool {
        guard let value = self[key], !value.isNull else { return missing }
        if let flag = value.bool { return flag }
        if let text = value.string, let flag = Bool(text) { return flag }
        throw Failure(.badData, "field \"\(key)\" must be true or false, found \(value.kind)", at: location)
    }

    /// A prompt that the template can render: a string, or a list of messages with `role` and `content`.
    package func prompt(_ key: String, _ template: ChatTemplate, at location: String) throws(Failure) -> Conversation {
        let conversation = try conversation(key, at: location)
        try template.requireRendering(conversation, of: key, at: location)
        return conversation
    }

    /// A conversation: a text, which a user says, or a list of messages.
    func conversation(_ key: String, at location: String) throws(Failure) -> Conversation {
        guard let rows = self[key]?.array else { return Conversation(try text(key, at: location)) }
        var messages: [Message] = []
        for (index, row) in rows.enumerated() {
            guard let object = row.object else {
                let reason = "message \(index + 1) of \"\(key)\" must be an object with \"role\" and \"content\""
                throw Failure(.badData, "\(reason), found \(row.kind)", at: location)
            }
            let name = try object.text("role", at: location)
            guard let role = Message.Role(rawValue: name) else {
                let known = Message.Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.badData, "role \"\(name)\" in \"\(key)\"; known: \(known)", at: location)
            }
            messages.append(Message(role, try object.text("content", at: location)))
        }
        guard !messages.isEmpty else { throw Failure(.badData, "\"\(key)\" is an empty conversation", at: location) }
        return Conversation(messages)
    }
}

extension ChatTemplate {
    /// Refuses a conversation that the template cannot render.
    func requireRendering(_ conversation: Conversation, of key: String, at location: String) throws(Failure) {
        if let problem = problem(in: conversation) {
            throw Failure(.badData, "\"\(key)\" \(problem)", at: location)
        }
    }
}

extension Conversation {
    /// As a row has it: a string where it is one message of a user.
    var json: JSONValue {
        if messages.count == 1, messages[0].role == .user { return .string(messages[0].content) }
        return .array(messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] })
    }
}
