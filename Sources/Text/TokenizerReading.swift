package import Failures
import Foundation
import StrictJSON

extension Tokenizer {
    /// Reads `tokenizer.json` and, where present, `tokenizer_config.json` and `chat_template.jinja` of a model
    /// directory.
    ///
    /// Read are byte-level BPE vocabularies with the splitting of GPT-2, SmolLM2, Llama 3 and Qwen2, and
    /// SentencePiece's BPE with byte fallback, as `tokenizers` writes them. Truncation and padding settings in the file
    /// have no effect, as in `transformers`.
    ///
    /// - Throws: `Failure`: `missingInput` without the file, `badData` where it is malformed or contradicts itself,
    ///   `configuration` where it is of another kind.
    package init(directory: String) throws(Failure) {
        let file = directory + "/tokenizer.json"
        let configFile = directory + "/tokenizer_config.json"
        let hasConfig = FileManager.default.fileExists(atPath: configFile)
        let config = hasConfig ? try JSONFields(JSONValue(contentsOfFile: configFile), at: configFile) : nil
        let value = try JSONValue(contentsOfFile: file, limits: JSONLimits(maximumBytes: 64 << 20))
        var template = try JinjaTemplate(directory: directory)
        if template == nil, let config { template = try JinjaTemplate(config: config) }
        try self.init(JSONFields(value, at: file), config: config, chatTemplate: template)
    }

    init(_ file: JSONFields, config: JSONFields?, chatTemplate: JinjaTemplate? = nil) throws(Failure) {
        let model = try file.fields("model")
        let kind = TokenizerFile(file)
        try kind.refuseOtherModels()
        let vocabulary = try Vocabulary(model, added: try Self.readAddedTokens(file))
        let merges = try Self.readMerges(model, vocabulary)
        let isSentencePiece = try model.optionalBool("byte_fallback") ?? false
        let scheme: any TokenScheme =
            isSentencePiece
            ? try kind.sentencePiece(vocabulary, merges) : try kind.byteLevel(vocabulary, merges)
        let addedTokens = vocabulary.added
        func configured(_ key: String) throws(Failure) -> Int32? {
            guard let config, let value = config.object[key], !value.isNull else { return nil }
            // Written as the token itself, or as an object with its "content".
            let text = try value.object == nil ? config.string(key) : config.fields(key).string("content")
            guard let id = addedTokens.id(of: text) ?? vocabulary.id(of: text) else {
                throw config.failure(key, "names \"\(text)\", which is not in the vocabulary")
            }
            return id
        }
        self.init(
            tokens: vocabulary.tokens,
            bytes: vocabulary.bytes(isSentencePiece ? SentencePieceBPE.decode : ByteAlphabet.decode),
            addedTokens: addedTokens,
            scheme: scheme,
            endOfText: try configured("eos_token"),
            beginningOfText: try configured("bos_token"),
            prefix: try kind.prefix(addedTokens),
            chatTemplate: chatTemplate,
            location: file.location
        )
    }

    private static func readAddedTokens(_ file: JSONFields) throws(Failure) -> [AddedTokens.Token] {
        var added: [AddedTokens.Token] = []
        guard try file.optionalArray("added_tokens") != nil else { return [] }
        for token in try file.fieldsList("added_tokens") {
            let text = try token.string("content")
            guard !text.isEmpty else { throw token.failure("content", "is empty") }
            guard text.utf8.count <= AddedTokens.longestText else {
                throw token.failure("content", "is longer than \(AddedTokens.longestText) bytes")
            }
            for key in ["single_word", "lstrip", "rstrip"] where try token.optionalBool(key) ?? false {
                throw Failure(
                    .configuration,
                    token.failure(key, "is true; supported is false").message,
                    at: file.location
                )
            }
            let id = Int32(try token.int("id", in: 0...Vocabulary.largestID))
            added.append(
                AddedTokens.Token(id: id, text: text, isSpecial: try token.optionalBool("special") ?? false)
            )
        }
        return added
    }

    private static func readMerges(_ model: JSONFields, _ vocabulary: Vocabulary) throws(Failure) -> MergeTable {
        let list = try model.array("merges")
        var merges = MergeTable(capacity: list.count)
        for (rank, merge) in list.enumerated() {
            let parts: [String]
            switch merge {
            case .string(let text):
                // By bytes: a token may begin with a mark, which to Swift belongs to the space.
                parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map {
                    String(Substring($0))
                }
            case .array(let elements): parts = elements.compactMap(\.string)
            default: parts = []
            }
            guard parts.count == 2 else {
                throw model.failure("merges[\(rank)]", "must be \"left right\" or [\"left\", \"right\"]")
            }
            var ids: [Int32] = []
            for token in [parts[0], parts[1], parts[0] + parts[1]] {
                guard let id = vocabulary.id(of: token) else {
                    throw model.failure(
                        "merges[\(rank)]",
                        "needs the token \"\(token)\", which is not in the vocabulary"
                    )
                }
                ids.append(id)
            }
            merges.append(ids[0], ids[1], into: ids[2])
        }
        return merges
    }
}
