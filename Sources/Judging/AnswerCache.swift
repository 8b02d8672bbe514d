import Failures
import Foundation
import ModelFiles
import StrictJSON

/// So many characters are kept of an answer's end, where its verdict stands.
private let mostCharacters = 1000

/// Answers that were got before, in a JSON Lines file that only grows: what is asked again is not sent again.
///
/// A request is known by address and body, so that another model, rubric or response is another request. Neither key
/// nor texts are in the file.
package final class AnswerCache {
    private let path: String?
    private var file: FileHandle?
    private var answers: [String: ChatReply] = [:]

    /// Keeps answers in memory alone.
    package init() { path = nil }

    /// Reads what an earlier process got; the file is made with the first answer.
    ///
    /// A killed process may have left half a last line, which is dropped.
    ///
    /// - Throws: `Failure` 65 where the file holds something else.
    package init(path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { return }
        let bytes = try readBytes(ofFile: path)
        let whole = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
        try forEachJSONLine(in: Array(bytes[..<whole]), file: path) { line, value in
            do throws(Failure) {
                let fields = try JSONFields(value.get(), at: "\(path):\(line)")
                answers[try fields.string("request")] = ChatReply(
                    answer: try fields.string("answer"),
                    promptTokens: try fields.int("prompt_tokens", in: 0...1 << 40),
                    completionTokens: try fields.int("completion_tokens", in: 0...1 << 40)
                )
            } catch {
                throw Failure(
                    error.code,
                    "\(error.message); remove the file, then everything is asked again",
                    at: error.location
                )
            }
        }
        guard whole < bytes.count else { return }
        guard let file = FileHandle(forWritingAtPath: path), (try? file.truncate(atOffset: UInt64(whole))) != nil else {
            throw Failure(.inputOutput, "cannot be written to", at: path)
        }
    }

    /// What a request is called.
    func name(of body: [UInt8], to address: String) -> String {
        let seal = FileSeal(of: Array(address.utf8) + [0] + body)
        return "\(seal.xxh64)-\(seal.bytes)"
    }

    /// The answer to a request; nil where there is none yet.
    subscript(_ request: String) -> ChatReply? { answers[request] }

    /// Keeps an answer, on the disk at once where there is a file.
    func add(_ reply: ChatReply, to request: String) throws(Failure) {
        answers[request] = reply
        guard let path else { return }
        let line: JSONValue = [
            "request": .string(request), "answer": .string(String(reply.answer.suffix(mostCharacters))),
            "prompt_tokens": .integer(reply.promptTokens), "completion_tokens": .integer(reply.completionTokens),
        ]
        do {
            if file == nil {
                if !FileManager.default.fileExists(atPath: path) {
                    try Data().write(to: URL(literalPath: path), options: .withoutOverwriting)
                }
                file = try FileHandle(forWritingTo: URL(literalPath: path))
                try file?.seekToEnd()
            }
            try file?.write(contentsOf: Data((line.encoded() + "\n").utf8))
        } catch {
            throw Failure(.inputOutput, "cannot be written to: \(error.localizedDescription)", at: path)
        }
    }
}
