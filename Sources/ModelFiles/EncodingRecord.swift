public import Failures
import Foundation
import StrictJSON
public import Text

/// How the text was encoded that a model was trained on: `encoding.json` beside what is trained, whole models and adapters.
///
/// A reward model read with another template or another tokenizer gives numbers that mean nothing, so that is refused.
public struct EncodingRecord: Equatable, Sendable {
    private static let file = "encoding.json"

    /// The chat template.
    public let template: ChatTemplate
    /// Checksum of the template in Jinja: which edition of it.
    let templateHash: String
    /// Checksum of `tokenizer.json`.
    let tokenizerHash: String

    /// Of an encoding whose tokenizer was read from a directory.
    ///
    /// - Throws: `Failure` where `tokenizer.json` cannot be read.
    public init(_ encoding: ChatEncoding, tokenizerIn directory: String) throws(Failure) {
        template = encoding.template
        templateHash = FileSeal(of: Array((encoding.jinja ?? "").utf8)).xxh64
        tokenizerHash = try FileSeal(reading: directory + "/tokenizer.json").xxh64
    }

    /// Reads what was noted of a model or an adapter; nil where nothing was, as with models from elsewhere.
    ///
    /// - Throws: `Failure` naming file and member.
    public init?(directory: String) throws(Failure) {
        let path = "\(directory)/\(Self.file)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        let name = try fields.string("chat_template")
        guard let template = ChatTemplate(rawValue: name) else {
            throw fields.failure("chat_template", "\"\(name)\" is none of this program's")
        }
        self.template = template
        templateHash = try fields.string("chat_template_xxh64")
        tokenizerHash = try fields.string("tokenizer_xxh64")
    }

    /// Notes it in a directory, with the template as `chat_template.jinja` for the programs that serve the model.
    ///
    /// - Throws: `Failure` where writing fails.
    public static func save(_ encoding: ChatEncoding, tokenizerIn source: String, to directory: String) throws(Failure)
    {
        let record = try EncodingRecord(encoding, tokenizerIn: source)
        if let jinja = encoding.jinja { try writeAtomically(jinja, to: directory + "/chat_template.jinja") }
        let object: JSONValue = [
            "chat_template": .string(record.template.rawValue), "chat_template_xxh64": .string(record.templateHash),
            "tokenizer_xxh64": .string(record.tokenizerHash),
        ]
        try writeAtomically(object.encoded() + "\n", to: "\(directory)/\(file)")
    }

    /// Notes for a model what was noted of the adapter that it was merged with, if anything.
    ///
    /// - Throws: `Failure` where reading or writing fails.
    public static func copy(from adapter: String, to directory: String) throws(Failure) {
        for name in [file, "chat_template.jinja"] where FileManager.default.fileExists(atPath: "\(adapter)/\(name)") {
            try writeAtomically(readBytes(ofFile: "\(adapter)/\(name)"), to: "\(directory)/\(name)")
        }
    }

    /// Throws where text would be encoded otherwise than for the model's training.
    ///
    /// - Parameter directory: the model's or adapter's.
    /// - Throws: `Failure(.configuration)` that says what differs.
    public func require(_ used: EncodingRecord, at directory: String) throws(Failure) {
        func refuse(_ reason: String) -> Failure {
            Failure(.configuration, reason, at: "\(directory)/\(Self.file)")
        }
        if used.template != template {
            throw refuse(
                "was trained under chat_template \(template.rawValue), not \(used.template.rawValue); "
                    + "use that template, or train it again"
            )
        }
        if used.templateHash != templateHash {
            throw refuse("was trained under another edition of chat_template \(template.rawValue); train it again")
        }
        if used.tokenizerHash != tokenizerHash {
            throw refuse(
                "was trained with another tokenizer.json than the one in use; use the model that it belongs to"
            )
        }
    }
}
