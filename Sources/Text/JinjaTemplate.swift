import Failures
import Foundation
import StrictJSON

/// A chat template in Jinja as a model's directory holds it: recognized by its markers, never run.
struct JinjaTemplate: Sendable {
    /// The longest that is read or recognized; the longest of known models has some 10 KiB.
    private static let maximumBytes = 1 << 18

    let text: String
    /// The file, for messages.
    let location: String

    init(text: String, location: String) {
        self.text = text
        self.location = location
    }

    /// Reads `chat_template.jinja`, which `transformers` prefers to `tokenizer_config.json`; nil where there is none.
    init?(directory: String) throws(Failure) {
        let path = directory + "/chat_template.jinja"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let bytes = try readBytes(ofFile: path, limit: Self.maximumBytes)
        self.init(text: String(decoding: bytes, as: UTF8.self), location: path)
    }

    /// The member `chat_template` of `tokenizer_config.json`: a text, or a list of which one is named `default`.
    init?(config: JSONFields) throws(Failure) {
        guard let value = config.object["chat_template"], !value.isNull else { return nil }
        guard value.array != nil else {
            self.init(text: try config.string("chat_template"), location: config.location)
            return
        }
        for entry in try config.fieldsList("chat_template") where try entry.string("name") == "default" {
            self.init(text: try entry.string("template"), location: config.location)
            return
        }
        return nil
    }

    /// The template of ours that renders as this one does, and the system message that it gives a conversation that has
    /// none; nil where no template of ours is known to.
    ///
    /// - Parameter hasPrefix: whether the tokenizer puts beginning-of-text before every sequence by itself.
    func recognized(hasPrefix: Bool) -> (template: ChatTemplate, systemMessage: String?)? {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        func has(_ markers: String...) -> Bool { markers.allSatisfy(text.contains) }
        if has("<|im_start|>", "<|im_end|>") {
            // Others put beginning-of-text first (Hermes), or write a system message of many parts (SmolLM3).
            if has("bos_token") || has("set system_message") { return nil }
            // Some open every answer with a thought, or trim what people wrote.
            if has("<|im_start|>assistant\\n<think>") || compact.contains("|trim") { return nil }
            switch systemMessageOfChatML {
            case .absent: return (.chatml, nil)
            case .text(let message): return (.chatml, message)
            case .other: return nil
            }
        }
        if has("<|start_header_id|>", "<|eot_id|>") {
            guard has("Knowledge Date") else { return has("<|start_header_id|>system") ? nil : (.llama3, nil) }
            return has("Cutting Knowledge Date: December 2023", "26 Jul 2024") ? (.llama31, nil) : nil
        }
        // Mistral's has no system message of this form, and other spaces.
        if has("[INST]", "<<SYS>>") { return (.llama2, nil) }
        if has("### Instruction:", "### Response:") { return (.alpaca, nil) }
        // In others a user's turn ends in a token (Zephyr, Phi-3).
        let markers = ["'<|user|>\n'", "'<|'+message['role']+'|>\n'"].map { $0 + "+message['content']" }
        let isTulu = ["}}", "+'\n'}}"].contains { end in markers.contains { compact.contains($0 + end) } }
        return isTulu ? (compact.hasPrefix("{{bos_token}}") && !hasPrefix ? .olmo : .tulu, nil) : nil
    }

    /// In one of the spellings that Jinja has for the same.
    private var compact: String {
        text.replacing("\\n", with: "\n").replacing("\"", with: "'").replacing(" ", with: "")
            .replacing("message.content", with: "message['content']")
    }

    private enum SystemMessage: Equatable {
        case absent
        case text(String)
        /// Several, or one that is put together of parts.
        case other
    }

    /// What the string literals that open a system's turn hold: nothing but the opening, or a whole turn.
    private var systemMessageOfChatML: SystemMessage {
        let opening = "<|im_start|>system"
        var found = SystemMessage.absent
        for start in text.ranges(of: opening) {
            guard let quote = text[..<start.lowerBound].last, quote == "'" || quote == "\"",
                let literal = Self.literal(text[start.lowerBound...], quote: quote)
            else { return .other }
            let content = literal.dropFirst(opening.count + 1)
            guard literal.hasPrefix(opening + "\n") else { return .other }
            if content.isEmpty { continue }
            guard let end = content.range(of: "<|im_end|>"), ["", "\n"].contains(content[end.upperBound...]) else {
                return .other
            }
            let message = SystemMessage.text(String(content[..<end.lowerBound]))
            guard found == .absent || found == message else { return .other }
            found = message
        }
        return found
    }

    /// The value of the string literal that begins `text`, up to its closing quote; nil where none closes it.
    private static func literal(_ text: Substring, quote: Character) -> String? {
        var value = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                value.append(character == "n" ? "\n" : character == "t" ? "\t" : character)
                isEscaped = false
            } else if character == quote {
                return value
            } else if character == "\\" {
                isEscaped = true
            } else {
                value.append(character)
            }
        }
        return nil
    }
}

extension Tokenizer {
    /// The chat template that the model's directory holds, by our name; nil where it holds none, or none of ours.
    package var recognizedTemplate: ChatTemplate? {
        chatTemplate?.recognized(hasPrefix: !prefix.isEmpty)?.template
    }
}
