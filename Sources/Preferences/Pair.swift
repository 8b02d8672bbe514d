import Failures
import StrictJSON
import Text

/// A prompt with the response that was chosen and the one that was rejected.
struct Pair {
    let prompt: Conversation
    let chosen: String
    let rejected: String

    /// Reads `prompt`, `chosen` and `rejected` of a row, in one of the forms that preference data have.
    ///
    /// - texts: a response each;
    /// - conversations: the last message of each is the response. Messages before it are the prompt, and with a
    ///   `prompt` must agree with it;
    /// - texts without a `prompt`: what both begin with is the prompt, up to the last `\n\nAssistant:` in it, or else
    ///   to the last word that both have whole.
    ///
    /// - Throws: `Failure` 65 at the line, which names the field.
    init(_ row: JSONObject, at location: String) throws(Failure) {
        if row["chosen"]?.array != nil || row["rejected"]?.array != nil {
            let chosen = try row.conversation("chosen", at: location)
            let rejected = try row.conversation("rejected", at: location)
            let given = row.has("prompt") ? try row.conversation("prompt", at: location) : nil
            prompt = try sharedPrompt(of: chosen, rejected, given: given, at: location)
            self.chosen = try chosen.response(of: "chosen", at: location)
            self.rejected = try rejected.response(of: "rejected", at: location)
        } else if row.has("prompt") || !row.has("chosen") || !row.has("rejected") {
            prompt = try row.conversation("prompt", at: location)
            chosen = try row.text("chosen", at: location)
            rejected = try row.text("rejected", at: location)
        } else {
            let texts = (try row.text("chosen", at: location), try row.text("rejected", at: location))
            guard let length = sharedPromptLength(of: Array(texts.0.utf8), Array(texts.1.utf8)) else {
                let message = "field \"prompt\" is missing, and \"chosen\" and \"rejected\" do not begin with one"
                throw Failure(.badData, message + remedy(for: "prompt", among: row.keys), at: location)
            }
            prompt = Conversation(String(decoding: texts.0.utf8.prefix(length), as: UTF8.self))
            chosen = String(decoding: texts.0.utf8.dropFirst(length), as: UTF8.self)
            rejected = String(decoding: texts.1.utf8.dropFirst(length), as: UTF8.self)
        }
    }
}

/// The messages before the last ones, which must be the same in both, or the prompt that is given.
private func sharedPrompt(
    of chosen: Conversation,
    _ rejected: Conversation,
    given: Conversation?,
    at location: String
) throws(Failure) -> Conversation {
    let before = Conversation(chosen.messages.dropLast())
    guard before == Conversation(rejected.messages.dropLast()) else {
        let message = "\"chosen\" and \"rejected\" differ before their last message; they must answer one prompt"
        throw Failure(.badData, message, at: location)
    }
    guard let given else {
        guard !before.messages.isEmpty else {
            let message = "field \"prompt\" is missing, and \"chosen\" has no message before the response"
            throw Failure(.badData, message, at: location)
        }
        return before
    }
    // A system's message may stand before a prompt that is only the question.
    guard before.messages.isEmpty || Conversation(before.messages.suffix(given.messages.count)) == given else {
        let message = "\"prompt\" is not what the messages of \"chosen\" begin with; leave one of the two out"
        throw Failure(.badData, message, at: location)
    }
    return before.messages.isEmpty ? given : before
}

extension Conversation {
    /// The text of the last message, which an assistant says.
    fileprivate func response(of key: String, at location: String) throws(Failure) -> String {
        guard let last = messages.last, last.role == .assistant else {
            throw Failure(.badData, "the last message of \"\(key)\" must be the assistant's", at: location)
        }
        return last.content
    }
}

/// How many bytes of two texts are the prompt of both; nil where that would leave a part of it empty.
private func sharedPromptLength(of a: [UInt8], _ b: [UInt8]) -> Int? {
    let shared = zip(a, b).prefix { $0 == $1 }.count
    let marker = Array("\n\nAssistant:".utf8)
    if shared >= marker.count {
        let last = (0...(shared - marker.count)).last { a[$0..<$0 + marker.count].elementsEqual(marker) }
        if let last, last + marker.count < min(a.count, b.count) { return last + marker.count }
    }
    // A space belongs to the response that it begins.
    let space = (0..<min(shared, a.count, b.count)).last { a[$0] == 0x20 || a[$0] == 0x0A }
    guard let space, a[..<space].contains(where: { $0 > 0x20 }) else { return nil }
    return space
}
