/// How the turns of a conversation become one text with the markers that a model was trained on.
///
/// Special tokens come from the template alone. Where a template's markers are ordinary text, a message that holds one
/// of them could open a turn of its own: `problem(in:)` finds it.
package enum ChatTemplate: String, CaseIterable, Sendable {
    /// The turns' contents as they are, joined by line breaks.
    case none
    /// Tulu 1 and 2: `<|user|>`, `<|assistant|>` and `<|system|>` on lines of their own.
    case tulu
    /// OLMo-2-Instruct: Tulu's turns after beginning-of-text.
    case olmo
    /// Llama-2-chat: `[INST] … [/INST]`, the system's message inside the first turn.
    case llama2
    /// Llama-3-Instruct: `<|start_header_id|>user<|end_header_id|>`, turns that end in `<|eot_id|>`.
    case llama3
    /// Llama-3.1- to 3.3-Instruct: the same after a system's message that begins with dates.
    ///
    /// The day is the one that their templates fall back to: today's would change a run from day to day.
    case llama31 = "llama3.1"
    /// ChatML, as of Qwen: `<|im_start|>user`, turns that end in `<|im_end|>`.
    case chatml
    /// Stanford Alpaca: `### Instruction:` and `### Response:` after a sentence that says what is to be done.
    case alpaca
}

/// A stretch of a conversation under a template.
enum ChatPiece: Equatable {
    /// Ordinary text, the messages' contents among it.
    case text(String)
    /// An added token, by its text.
    case token(String)
    /// What the tokenizer itself puts before every sequence.
    case prefix
    /// The tokenizer's beginning-of-text.
    case beginning
    /// The model's end-of-text.
    case end
}

extension ChatTemplate {
    /// The conversation up to where the assistant's next response begins.
    func pieces(of conversation: Conversation) -> [ChatPiece] {
        let messages = conversation.messages
        switch self {
        case .none:
            return [.prefix, .text(conversation.text)]
        case .tulu, .olmo:
            let turns = messages.flatMap { message -> [ChatPiece] in
                let text = ChatPiece.text("<|\(message.role.rawValue)|>\n\(message.content)")
                return message.role == .assistant ? [text, .end, .text("\n")] : [text, .text("\n")]
            }
            return [self == .olmo ? .beginning : .prefix] + turns + [.text("<|assistant|>\n")]
        case .llama2:
            let system = messages.first.flatMap { $0.role == .system ? $0.content : nil }
            let turns = system == nil ? messages[...] : messages.dropFirst()
            return turns.enumerated().flatMap { index, message -> [ChatPiece] in
                if message.role == .assistant { return [.text(" \(trimmed(message.content)) "), .end] }
                let instruction = index == 0 ? system.map { "<<SYS>>\n\($0)\n<</SYS>>\n\n" } ?? "" : ""
                return [.beginning, .text("[INST] \(trimmed(instruction + message.content)) [/INST]")]
            }
        case .llama3, .llama31:
            func turn(_ role: Message.Role, _ content: String) -> [ChatPiece] {
                header(role) + [.text(content), .token("<|eot_id|>")]
            }
            func header(_ role: Message.Role) -> [ChatPiece] {
                [.token("<|start_header_id|>"), .text(role.rawValue), .token("<|end_header_id|>"), .text("\n\n")]
            }
            func turns(_ messages: some Sequence<Message>) -> [ChatPiece] {
                messages.flatMap { turn($0.role, trimmed($0.content)) }
            }
            if self == .llama3 { return [.beginning] + turns(messages) + header(.assistant) }
            let system = messages.first.flatMap { $0.role == .system ? $0.content : nil }
            return [.beginning] + turn(.system, Self.dates + trimmed(system ?? ""))
                + turns(messages.dropFirst(system == nil ? 0 : 1)) + header(.assistant)
        case .chatml:
            let turns = messages.flatMap { message -> [ChatPiece] in
                let text = "\(message.role.rawValue)\n\(message.content)"
                return [.token("<|im_start|>"), .text(text), .token("<|im_end|>"), .text("\n")]
            }
            return turns + [.token("<|im_start|>"), .text("assistant\n")]
        case .alpaca:
            let task =
                "Below is an instruction that describes a task. Write a response that appropriately completes the "
                + "request."
            let opening = messages.first?.role == .system ? [] : [ChatPiece.text("\(task)\n\n")]
            let turns = messages.flatMap { message -> [ChatPiece] in
                switch message.role {
                case .system: [.text("\(message.content)\n\n")]
                case .user: [.text("### Instruction:\n\(message.content)\n\n### Response:\n")]
                case .assistant: [.text(message.content), .end, .text("\n\n")]
                }
            }
            return [.prefix] + opening + turns
        }
    }

    /// A response as the assistant's turn holds it, without the token that ends the turn.
    ///
    /// - Parameter isComplete: whether the response ends where its writer ended it.
    func responseText(_ response: String, isComplete: Bool) -> String {
        switch self {
        case .none, .tulu, .olmo, .chatml, .alpaca: response
        case .llama2: " \(trimmed(response))" + (isComplete ? " " : "")
        case .llama3, .llama31: trimmed(response)
        }
    }

    /// The response of an assistant's turn; the other way round than `responseText`.
    func response(ofText text: String) -> String {
        switch self {
        case .none, .tulu, .olmo, .chatml, .alpaca: text
        case .llama2, .llama3, .llama31: trimmed(text)
        }
    }

    /// The added tokens that the template needs, the last of them the one that ends a turn.
    var tokens: [String] {
        switch self {
        case .none, .tulu, .olmo, .llama2, .alpaca: []
        case .llama3, .llama31: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
        case .chatml: ["<|im_start|>", "<|im_end|>"]
        }
    }

    /// Whether it writes beginning-of-text itself.
    var needsBeginning: Bool { [.llama2, .llama3, .llama31, .olmo].contains(self) }

    /// What the system's message of Llama 3.1 begins with.
    static let dates = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"

    /// Markers that are ordinary text, so that a message could forge a turn with them.
    private var markers: [String] {
        switch self {
        case .none, .llama3, .llama31, .chatml: []
        case .tulu, .olmo: ["<|user|>", "<|assistant|>", "<|system|>"]
        case .llama2: ["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"]
        case .alpaca: ["### Instruction:", "### Response:"]
        }
    }

    /// Why the template cannot render a conversation, or nil where it can.
    package func problem(in conversation: Conversation) -> String? {
        if self == .none { return nil }
        let turns =
            conversation.messages.first?.role == .system
            ? conversation.messages.dropFirst() : conversation.messages[...]
        let alternates = turns.enumerated().allSatisfy { $1.role == ($0 % 2 == 0 ? .user : .assistant) }
        guard alternates, turns.last?.role == .user else {
            return "roles must be user and assistant in turn, after at most one system, and end with user"
        }
        if let marker = conversation.messages.lazy.compactMap({ firstMarker(in: $0.content) }).first {
            return "holds \"\(marker)\", which chat_template \(rawValue) puts between turns; take it out of the text"
        }
        return nil
    }
}

extension ChatTemplate {
    /// The first of the markers that a model would read in a text.
    ///
    /// Bytes are compared, as tokenizers do: a combining mark makes another Character of `<`. And `▁` is a space to
    /// SentencePiece.
    private func firstMarker(in content: String) -> String? {
        let scalars = content.unicodeScalars.map { $0 == "▁" ? " " : $0 }
        let bytes = Array(String(String.UnicodeScalarView(scalars)).utf8)
        return markers.first { marker in
            let first = marker.utf8.first
            return bytes.indices.contains { bytes[$0] == first && bytes[$0...].starts(with: marker.utf8) }
        }
    }
}

/// A text without the white space around it, as Python's `strip` takes it away.
private func trimmed(_ text: String) -> String {
    func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
    let kept = text.unicodeScalars.drop(while: isSpace)
    let end = kept.lastIndex { !isSpace($0) }.map(kept.index(after:)) ?? kept.startIndex
    return String(String.UnicodeScalarView(kept[kept.startIndex..<end]))
}
