public import Failures
import Foundation
import StrictJSON

extension Tokenizer {
    /// Reads `tokenizer.json` and, where present, `tokenizer_config.json` of a model directory.
    ///
    /// Read are byte-level BPE vocabularies with GPT-2's splitting, as `tokenizers` writes them. Truncation and padding
    /// settings in the file have no effect, as in `transformers`.
    ///
    /// - Throws: `Failure`: `missingInput` without the file, `badData` where it is malformed or contradicts itself,
    ///   `configuration` where it is of another kind.
    public init(directory: String) throws(Failure) {
        let file = directory + "/tokenizer.json"
        let configFile = directory + "/tokenizer_config.json"
        let hasConfig = FileManager.default.fileExists(atPath: configFile)
        let config = hasConfig ? try JSONFields(JSONValue(contentsOfFile: configFile), at: configFile) : nil
        let value = try JSONValue(contentsOfFile: file, limits: JSONLimits(maximumBytes: 64 << 20))
        try self.init(JSONFields(value, at: file), config: config)
    }

    init(_ file: JSONFields, config: JSONFields?) throws(Failure) {
        try Self.refuseOtherKinds(file)
        let model = try file.fields("model")
        let vocabulary = try Vocabulary(model, added: try Self.readAddedTokens(file))
        let merges = try Self.readMerges(model, vocabulary)
        let preTokenizer = try file.fields("pre_tokenizer")
        let scheme = ByteLevelBPE(
            byteTokens: try vocabulary.byteTokens(),
            merges: merges,
            addsPrefixSpace: try preTokenizer.optionalBool("add_prefix_space") ?? true
        )
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
            bytes: vocabulary.bytes,
            addedTokens: addedTokens,
            scheme: scheme,
            endOfText: try configured("eos_token"),
            beginningOfText: try configured("bos_token"),
            place: file.place
        )
    }

    private static func refuseOtherKinds(_ file: JSONFields) throws(Failure) {
        func refuse(_ key: String, _ found: String) -> Failure {
            let reason = "is \(found); supported is byte-level BPE with GPT-2's splitting"
            return Failure(.configuration, file.failure(key, reason).message, at: file.place)
        }
        func requireType(_ key: String, _ type: String) throws(Failure) {
            let found = try file.optionalFields(key)?.string("type") ?? "missing"
            guard found == type else { throw refuse(key, found) }
        }
        try requireType("model", "BPE")
        if let normalizer = try file.optionalFields("normalizer") {
            throw refuse("normalizer", try normalizer.string("type"))
        }
        let model = try file.fields("model")
        if model.object["dropout"].map(\.isNull) == false { throw refuse("model.dropout", "set") }
        for key in ["byte_fallback", "ignore_merges"] where try model.optionalBool(key) ?? false {
            throw refuse("model.\(key)", "true")
        }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            let affix = try model.optionalString(key) ?? ""
            guard affix.isEmpty else { throw refuse("model.\(key)", "\"\(affix)\"") }
        }
        try requireType("pre_tokenizer", "ByteLevel")
        if try file.fields("pre_tokenizer").optionalBool("use_regex") == false {
            throw refuse("pre_tokenizer.use_regex", "false")
        }
        try requireType("decoder", "ByteLevel")
        if try file.optionalFields("post_processor") != nil { try requireType("post_processor", "ByteLevel") }
    }

    private static func readAddedTokens(_ file: JSONFields) throws(Failure) -> [AddedTokens.Token] {
        var added: [AddedTokens.Token] = []
        guard try file.optionalArray("added_tokens") != nil else { return [] }
        for token in try file.fieldsList("added_tokens") {
            let text = try token.string("content")
            guard !text.isEmpty else { throw token.failure("content", "is empty") }
            for key in ["single_word", "lstrip", "rstrip"] where try token.optionalBool(key) ?? false {
                throw Failure(.configuration, token.failure(key, "is true; supported is false").message, at: file.place)
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
                parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
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
