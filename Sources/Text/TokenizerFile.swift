import Failures
import StrictJSON

/// The members of `tokenizer.json` that say what is done to text before and after merging; everything that would give
/// other ids than ours is refused.
struct TokenizerFile {
    private let file: JSONFields

    init(_ file: JSONFields) {
        self.file = file
    }

    private func refuse(_ key: String, _ found: String, supported: String) -> Failure {
        let kinds = "byte-level BPE of GPT-2, SmolLM2, Llama 3 and Qwen2, and SentencePiece BPE with byte fallback"
        let reason = "is \(found); supported is \(supported) (\(kinds))"
        return Failure(.configuration, file.failure(key, reason).message, at: file.location)
    }

    private func requireType(_ fields: JSONFields?, _ key: String, _ type: String) throws(Failure) {
        let found = try fields?.string("type") ?? "missing"
        guard found == type else { throw refuse(key, found, supported: type) }
    }

    /// What both schemes need of the model.
    func refuseOtherModels() throws(Failure) {
        let model = try file.fields("model")
        try requireType(model, "model", "BPE")
        if model.object["dropout"].map(\.isNull) == false { throw refuse("model.dropout", "set", supported: "null") }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            let affix = try model.optionalString(key) ?? ""
            guard affix.isEmpty else { throw refuse("model.\(key)", "\"\(affix)\"", supported: "none") }
        }
    }

    // MARK: Byte-level BPE

    /// Printable ASCII without a token would lose what people write; of other bytes SmolLM2 has no tokens for some.
    func byteLevel(_ vocabulary: Vocabulary, _ merges: MergeTable) throws(Failure) -> ByteLevelBPE {
        let byteTokens = try vocabulary.byteTokens(required: 0x20...0x7E) { ByteAlphabet.encode(CollectionOfOne($0)) }
        let unknown = try file.fields("model").optionalString("unk_token")
        if let unknown, byteTokens.contains(nil) {
            throw refuse("model.unk_token", "\"\(unknown)\" for bytes without a token", supported: "null")
        }
        var scheme = ByteLevelBPE(byteTokens: byteTokens, merges: merges)
        if let normalizer = try file.optionalFields("normalizer") {
            try requireType(normalizer, "normalizer", "NFC")
            scheme.composes = true
        }
        try readSplit(&scheme)
        if try file.fields("model").optionalBool("ignore_merges") ?? false {
            for (id, token) in vocabulary.tokens.enumerated() {
                if let bytes = ByteAlphabet.decode(token) { scheme.wholeWords[bytes] = Int32(id) }
            }
        }
        try requireType(file.optionalFields("decoder"), "decoder", "ByteLevel")
        return scheme
    }

    /// GPT-2's pattern is built into the pre-tokenizer `ByteLevel`; others stand before it.
    private func readSplit(_ scheme: inout ByteLevelBPE) throws(Failure) {
        var steps = try file.optionalFields("pre_tokenizer").map { [$0] } ?? []
        if let sequence = steps.first, try sequence.string("type") == "Sequence" {
            steps = try sequence.fieldsList("pretokenizers")
        }
        try requireType(steps.last, "pre_tokenizer", "ByteLevel")
        guard let byteLevel = steps.popLast() else { return }
        scheme.addsPrefixSpace = try byteLevel.optionalBool("add_prefix_space") ?? true
        let usesOwnPattern = try byteLevel.optionalBool("use_regex") ?? true
        guard let split = steps.popLast() else {
            if !usesOwnPattern { throw refuse("pre_tokenizer.use_regex", "false", supported: "true") }
            return
        }
        if try split.string("type") == "Digits" {
            guard try split.optionalBool("individual_digits") ?? false, usesOwnPattern, !scheme.addsPrefixSpace,
                steps.isEmpty
            else {
                let form = "individual_digits true, then ByteLevel with use_regex true and add_prefix_space false"
                throw refuse("pre_tokenizer", "another form of Digits", supported: form)
            }
            scheme.split = .digits
            return
        }
        try requireType(split, "pre_tokenizer", "Split")
        let pattern = try split.fields("pattern").string("Regex")
        let behaviour = try split.string("behavior")
        let isInverted = try split.optionalBool("invert") ?? false
        // The patterns cover every text, so that what they match is all there is to keep (OLMo 2) or to isolate.
        let keepsMatches = isInverted ? behaviour == "Removed" : behaviour == "Isolated"
        guard let known = [WordSplit.gpt2, .llama3, .qwen2].first(where: { $0.pattern == pattern }), keepsMatches,
            !usesOwnPattern, steps.isEmpty
        else {
            throw refuse("pre_tokenizer", "a split by \"\(pattern)\"", supported: "the pattern of Llama 3 or Qwen2")
        }
        scheme.split = known
    }

    // MARK: SentencePiece

    func sentencePiece(_ vocabulary: Vocabulary, _ merges: MergeTable) throws(Failure) -> SentencePieceBPE {
        if try file.fields("model").optionalBool("ignore_merges") ?? false {
            throw refuse("model.ignore_merges", "true", supported: "false")
        }
        let prefixSpace = try readPrefixSpace()
        var characters: [[UInt8]: Int32] = [:]
        var splitsWords = true
        for (id, token) in vocabulary.tokens.enumerated() where vocabulary.id(of: token) != nil {
            if token.unicodeScalars.count == 1 { characters[Array(token.utf8)] = Int32(id) }
            let afterSpaces = token.unicodeScalars.drop { $0 == "▁" }
            if afterSpaces.contains("▁") { splitsWords = false }
        }
        return SentencePieceBPE(
            characterTokens: characters,
            byteTokens: try vocabulary.byteTokens(required: 0...255, SentencePieceBPE.spelling).compactMap(\.self),
            merges: merges,
            prefixSpace: prefixSpace,
            splitsWords: splitsWords
        )
    }

    /// Older files write spaces in the normalizer, newer ones in the pre-tokenizer.
    private func readPrefixSpace() throws(Failure) -> SentencePieceBPE.PrefixSpace {
        guard let normalizer = try file.optionalFields("normalizer") else {
            let metaspace = try file.optionalFields("pre_tokenizer")
            try requireType(metaspace, "pre_tokenizer", "Metaspace")
            guard let metaspace, try metaspace.string("replacement") == "▁",
                try metaspace.optionalBool("split") == false
            else { throw refuse("pre_tokenizer", "another Metaspace", supported: "replacement \"▁\", split false") }
            switch try metaspace.string("prepend_scheme") {
            case "never": return .never
            case "first": return .first
            default: return .unlessPresent
            }
        }
        if let other = try file.optionalFields("pre_tokenizer") {
            throw refuse("pre_tokenizer", try other.string("type"), supported: "null beside a normalizer")
        }
        var steps = [normalizer]
        if try normalizer.string("type") == "Sequence" { steps = try normalizer.fieldsList("normalizers") }
        var prefixSpace = SentencePieceBPE.PrefixSpace.never
        if steps.count == 2, try steps[0].string("type") == "Prepend", try steps[0].string("prepend") == "▁" {
            prefixSpace = .always
            steps.removeFirst()
        }
        guard steps.count == 1, try steps[0].string("type") == "Replace",
            try steps[0].fields("pattern").optionalString("String") == " ", try steps[0].string("content") == "▁"
        else { throw refuse("normalizer", "another", supported: "Prepend \"▁\", Replace \" \" by \"▁\"") }
        return prefixSpace
    }

    // MARK: Post-processor

    /// The tokens that the post-processor puts before a sequence.
    func prefix(_ added: AddedTokens) throws(Failure) -> [Int32] {
        guard let processor = try file.optionalFields("post_processor") else { return [] }
        var steps = [processor]
        if try processor.string("type") == "Sequence" { steps = try processor.fieldsList("processors") }
        var prefix: [Int32] = []
        for step in steps {
            switch try step.string("type") {
            case "ByteLevel": continue
            case "TemplateProcessing": prefix += try readTemplate(step, added)
            case let type:
                throw refuse("post_processor", type, supported: "ByteLevel and TemplateProcessing")
            }
        }
        return prefix
    }

    private func readTemplate(_ template: JSONFields, _ added: AddedTokens) throws(Failure) -> [Int32] {
        var pieces = try template.fieldsList("single")
        guard let last = pieces.popLast(), last.object["Sequence"] != nil else {
            throw refuse("post_processor", "a template that ends with a token", supported: "tokens before the text")
        }
        var ids: [Int32] = []
        for piece in pieces {
            let name = try piece.fields("SpecialToken").string("id")
            guard let id = added.id(of: name) else {
                throw Failure(
                    .badData,
                    "'post_processor' names \"\(name)\", which is no added token",
                    at: file.location
                )
            }
            ids.append(id)
        }
        return ids
    }
}
