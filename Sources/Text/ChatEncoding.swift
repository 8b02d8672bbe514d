package import Failures

/// How conversations become a model's tokens, and its tokens responses: a tokenizer under a chat template.
package struct ChatEncoding: Sendable {
    /// The model's own.
    package let tokenizer: Tokenizer
    /// What stands around the turns.
    package let template: ChatTemplate
    /// What the model's own template puts first where a conversation has no system's message; nil: nothing.
    let systemMessage: String?
    /// The token that ends a response: the template's, or else end-of-text; nil where the model has none.
    package let endOfTurn: Int32?
    /// Ids of the added tokens that the template needs.
    private let added: [String: Int32]
    private let beginning: [Int32]
    private let end: [Int32]
    /// The shortest prompt: one token of text under the template.
    package private(set) var leastPrompt = 1

    /// Prepares a template for a tokenizer.
    ///
    /// - Parameters:
    ///   - requested: the template; nil: the one that the model's directory holds, or none where it holds none.
    ///   - endOfText: the model's end-of-text token, which its tokenizer may not name.
    /// - Throws: `Failure(.configuration)` where the model's directory holds another template, or one that is none of
    ///   ours and `requested` is nil; and where the tokenizer has not the tokens that the template needs.
    package init(_ tokenizer: Tokenizer, _ requested: ChatTemplate?, endOfText: Int32?) throws(Failure) {
        let (template, systemMessage) = try Self.template(requested, of: tokenizer)
        func refuse(_ what: String) -> Failure {
            Failure(
                .configuration,
                "has no \(what), which chat_template \(template.rawValue) needs; use the template of the model's "
                    + "training",
                at: tokenizer.location
            )
        }
        var added: [String: Int32] = [:]
        for text in template.tokens {
            guard let id = tokenizer.id(ofAddedToken: text) else { throw refuse("token \(text)") }
            added[text] = id
        }
        let beginning = tokenizer.beginningOfText ?? tokenizer.prefix.first
        if template.needsBeginning, beginning == nil { throw refuse("beginning-of-text token (\"bos_token\")") }
        endOfTurn = template.tokens.last.flatMap { added[$0] } ?? endOfText
        if template != .none, endOfTurn == nil { throw refuse("end-of-text token (\"eos_token\")") }
        self.tokenizer = tokenizer
        self.template = template
        self.systemMessage = systemMessage
        self.added = added
        self.beginning = beginning.map { [$0] } ?? []
        end = endOfText.map { [$0] } ?? []
        leastPrompt = prompt("").count + 1
    }

    /// The template to use, and the system message that the model's own puts first where a conversation has none.
    private static func template(
        _ requested: ChatTemplate?,
        of tokenizer: Tokenizer
    ) throws(Failure) -> (ChatTemplate, String?) {
        guard let jinja = tokenizer.chatTemplate, requested != ChatTemplate.none else {
            return (requested ?? ChatTemplate.none, nil)
        }
        guard let own = jinja.recognized(hasPrefix: !tokenizer.prefix.isEmpty) else {
            if let requested { return (requested, nil) }
            throw Failure(
                .configuration,
                "holds a chat template that is none of this program's; name the one that comes closest "
                    + "(data.chat_template, --chat-template), or none",
                at: jinja.location
            )
        }
        guard requested ?? own.template == own.template else {
            throw Failure(
                .configuration,
                "holds chat_template \(own.template.rawValue), not \(requested?.rawValue ?? ""); use that, or none "
                    + "for the text as it is",
                at: jinja.location
            )
        }
        return own
    }

    /// The template in Jinja, for who serves the model; nil for `none`.
    package var jinja: String? {
        template.jinja(hasPrefix: !tokenizer.prefix.isEmpty, systemMessage: systemMessage)
    }

    /// The tokens of a conversation, up to where the assistant's next response begins.
    package func prompt(_ conversation: Conversation) -> [Int32] {
        encode(template.pieces(of: withSystemMessage(conversation)), isStart: true)
    }

    /// The tokens of pieces, at the beginning of a conversation or behind the end of a turn.
    func encode(_ pieces: [ChatPiece], isStart: Bool) -> [Int32] {
        var ids: [Int32] = []
        var text = ""
        var location = isStart ? TextPlace.beginning : .afterAddedToken
        func flush() {
            ids += tokenizer.encode(Array(text.utf8), specialTokens: .asText, from: location)
            text = ""
        }
        func append(_ tokens: [Int32], nextPlace: TextPlace) {
            flush()
            ids += tokens
            location = nextPlace
        }
        for piece in pieces {
            switch piece {
            case .text(let more): text += more
            case .prefix: append(tokenizer.prefix, nextPlace: .beginning)
            case .beginning: append(beginning, nextPlace: .afterAddedToken)
            case .end: append(end, nextPlace: .afterAddedToken)
            case .token(let name): append(added[name].map { [$0] } ?? [], nextPlace: .afterAddedToken)
            }
        }
        flush()
        return ids
    }

    func withSystemMessage(_ conversation: Conversation) -> Conversation {
        guard let systemMessage, conversation.messages.first?.role != .system else { return conversation }
        return Conversation([Message(.system, systemMessage)] + conversation.messages)
    }

    /// The end of a conversation that fits into `room` tokens under the template: the oldest turns go first, the
    /// system's message last of all, then the start of the last message.
    ///
    /// - Returns: what is left of it and its tokens; more than `room` only where not even the template fits.
    package func prompt(_ conversation: Conversation, atMost room: Int) -> (conversation: Conversation, tokens: [Int32])
    {
        var tokens = prompt(conversation)
        if tokens.count <= room { return (conversation, tokens) }
        if template == .none {
            let kept = Array(tokens.dropFirst(tokenizer.prefix.count).suffix(max(0, room - tokenizer.prefix.count)))
            return (Conversation(text(kept, at: .beginning)), tokenizer.prefix + kept)
        }
        let questions = conversation.messages.indices.filter { conversation.messages[$0].role == .user }
        func without(_ oldest: Int) -> Conversation {
            // With their answers; the system's message last of all.
            let messages = conversation.messages
            let kept =
                oldest < questions.count
                ? messages[..<questions[0]] + messages[questions[oldest]...] : messages.suffix(1)
            return Conversation(Array(kept))
        }
        // How many go is found by halving: encoding anew after each would take the square of their number.
        var (tooFew, enough) = (0, max(1, questions.count))
        while enough - tooFew > 1 {
            let middle = (tooFew + enough) / 2
            if prompt(without(middle)).count <= room { enough = middle } else { tooFew = middle }
        }
        var kept = without(enough)
        tokens = prompt(kept)
        var content = tokenizer.encode(kept.messages[0].content, at: .continuation)
        while tokens.count > room, !content.isEmpty {
            content.removeFirst(min(content.count, tokens.count - room))
            kept.messages[0].content = text(content, at: .continuation)
            tokens = prompt(kept)
        }
        return (kept, tokens)
    }

    /// The tokens of a response after its prompt, with the token that ends the turn where it is complete.
    package func response(_ response: String, isComplete: Bool) -> [Int32] {
        let text = template.responseText(response, isComplete: isComplete)
        let ids = tokenizer.encode(text, at: .continuation)
        return isComplete ? ids + (endOfTurn.map { [$0] } ?? []) : ids
    }

    /// A sampled response as text, without the token that ends the turn.
    package func text(ofResponse ids: [Int32]) -> String {
        let own = ids.last != nil && ids.last == endOfTurn ? ids.dropLast() : ids[...]
        return template.response(ofText: tokenizer.text(ofSampled: own))
    }

    /// The text of ids that the tokenizer gave itself, so that it knows them all.
    private func text(_ ids: [Int32], at position: Tokenizer.Position) -> String {
        (try? tokenizer.decode(ids, skippingSpecialTokens: true, at: position)) ?? ""
    }
}
