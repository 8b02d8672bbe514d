package import Failures
import Foundation
import StrictJSON
package import Text

/// What a model or an adapter was trained on: `provenance.json` beside its weights.
///
/// A reward model read with another template, another tokenizer or over another base gives numbers that mean nothing,
/// so that is refused.
package struct Provenance: Equatable, Sendable {
    private static let file = "provenance.json"
    private static let jinjaFile = "chat_template.jinja"

    /// The chat template.
    package let template: ChatTemplate
    /// Checksum of the template in Jinja: which edition of it.
    let templateHash: String
    /// Checksum of `tokenizer.json`.
    let tokenizerHash: String
    /// `ModelDirectory.fingerprint` of an adapter's base; nil for a whole model.
    let baseHash: String?

    /// Of training on text encoded in a way.
    ///
    /// - Parameters:
    ///   - source: the directory that the tokenizer was read from.
    ///   - base: the directory of the model that is adapted; nil: a whole model is trained.
    /// - Throws: `Failure` where files cannot be read.
    init(_ encoding: ChatEncoding, tokenizerIn source: String, base: String?) throws(Failure) {
        template = encoding.template
        templateHash = FileSeal(of: Array((encoding.jinja ?? "").utf8)).xxh64
        tokenizerHash = try FileSeal(reading: source + "/tokenizer.json").xxh64
        baseHash = if let base { try ModelDirectory.fingerprint(base) } else { nil }
    }

    /// Reads what was noted; nil where nothing was, as with models from elsewhere.
    ///
    /// - Throws: `Failure` naming file and member.
    package init?(directory: String) throws(Failure) {
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
        baseHash = try fields.optionalString("base_xxh64")
    }

    /// Notes it in a directory, with the template as `chat_template.jinja` for the programs that serve the model.
    ///
    /// Parameters are those of `init`.
    ///
    /// - Throws: `Failure` where reading or writing fails.
    package static func save(
        _ encoding: ChatEncoding,
        tokenizerIn source: String,
        base: String?,
        to directory: String
    ) throws(Failure) {
        let own = try Provenance(encoding, tokenizerIn: source, base: base)
        if let jinja = encoding.jinja { try writeAtomically(jinja, to: "\(directory)/\(jinjaFile)") }
        let object: JSONValue = [
            "chat_template": .string(own.template.rawValue), "chat_template_xxh64": .string(own.templateHash),
            "tokenizer_xxh64": .string(own.tokenizerHash), "base_xxh64": own.baseHash.map(JSONValue.string) ?? .null,
        ]
        try writeAtomically(object.encoded() + "\n", to: "\(directory)/\(file)")
    }

    /// Notes of a merged model what was noted of its adapter, if anything.
    ///
    /// - Throws: `Failure` where reading or writing fails.
    static func copy(ofAdapter adapter: String, to directory: String) throws(Failure) {
        let exists = { (name: String) in FileManager.default.fileExists(atPath: "\(adapter)/\(name)") }
        if exists(file), var object = try JSONValue(contentsOfFile: "\(adapter)/\(file)").object {
            object["base_xxh64"] = .null
            try writeAtomically(JSONValue.object(object).encoded() + "\n", to: "\(directory)/\(file)")
        }
        if exists(jinjaFile) {
            try writeAtomically(readBytes(ofFile: "\(adapter)/\(jinjaFile)"), to: "\(directory)/\(jinjaFile)")
        }
    }

    /// Refuses to read a model or an adapter otherwise than it was trained.
    ///
    /// - Parameter directory: the one that this was read from; the others are those of `init`.
    /// - Throws: `Failure(.configuration)` that says what differs.
    package func check(
        _ directory: String,
        _ encoding: ChatEncoding,
        tokenizerIn source: String,
        base: String?
    ) throws(Failure) {
        let used = try Provenance(encoding, tokenizerIn: source, base: nil)
        if used.template != template {
            throw Self.refusal(
                "was trained under chat_template \(template.rawValue), not \(used.template.rawValue); "
                    + "use that template, or train it again",
                directory
            )
        }
        if used.templateHash != templateHash {
            let name = used.template.rawValue
            throw Self.refusal("was trained under another edition of chat_template \(name); train it again", directory)
        }
        if used.tokenizerHash != tokenizerHash {
            throw Self.refusal(
                "was trained with another tokenizer.json than that of \(source); use the model that it belongs to",
                directory
            )
        }
        if let base { try checkBase(ofAdapter: directory, base) }
    }

    /// Refuses to use an adapter over another base than it was trained over.
    ///
    /// - Throws: `Failure(.configuration)`.
    func checkBase(ofAdapter directory: String, _ base: String) throws(Failure) {
        guard let baseHash else { return }
        guard try ModelDirectory.fingerprint(base) == baseHash else {
            throw Self.refusal(
                "was trained over another base than \(base); use the model that it belongs to",
                directory
            )
        }
    }

    private static func refusal(_ reason: String, _ directory: String) -> Failure {
        Failure(.configuration, reason, at: "\(directory)/\(file)")
    }
}

extension ModelDirectory {
    /// Bytes of each tensor that a fingerprint is of.
    private static let sample = 4096

    /// Tells one model from another without reading all of it: a checksum of every tensor's name, type, shape and first
    /// 4 KiB.
    ///
    /// Of models that were opened, so that links out of their folder were refused where they should be.
    ///
    /// - Throws: `Failure` where files cannot be read or are malformed.
    package static func fingerprint(_ path: String) throws(Failure) -> String {
        let weights = try WeightFiles(directory: path, configuration: configuration(path), followSymlinks: true)
        var bytes: [UInt8] = []
        for file in weights.files {
            let weights = try SafetensorsFile(path: file)
            for tensor in weights.header.tensors {
                bytes += "\(tensor.name) \(tensor.type.rawValue) \(tensor.shape)".utf8
                bytes += try weights.bytes(of: tensor, atMost: sample)
            }
        }
        return FileSeal(of: bytes).xxh64
    }
}
