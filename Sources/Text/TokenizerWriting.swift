package import Failures
import Foundation
import StrictJSON

extension Tokenizer {
    /// Writes `tokenizer.json` and `tokenizer_config.json`, which `tokenizers` and `transformers` load with equal ids.
    ///
    /// - Throws: `Failure(.cannotCreate)` where the directory cannot be made or written, `Failure(.configuration)` for
    ///   a vocabulary of another kind than GPT-2's: its own files are to be copied.
    package func write(toDirectory directory: String) throws(Failure) {
        guard let scheme = scheme as? ByteLevelBPE, scheme.split == .gpt2, !scheme.composes, scheme.wholeWords.isEmpty,
            prefix.isEmpty
        else { throw Failure(.configuration, "only byte-level vocabularies are written; copy its files", at: location) }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for (name, value) in [("tokenizer.json", fileContent(scheme)), ("tokenizer_config.json", configContent)] {
                let url = URL(literalPath: directory).appendingPathComponent(name)
                try Data(value.encoded(pretty: true).utf8).write(to: url, options: .atomic)
            }
        } catch {
            throw Failure(.cannotCreate, "tokenizer cannot be written: \(error.localizedDescription)", at: directory)
        }
    }

    private func fileContent(_ scheme: ByteLevelBPE) -> JSONValue {
        let added = addedTokens.tokens.map { token in
            var object = JSONObject()
            object["id"] = .integer(Int(token.id))
            object["content"] = .string(token.text)
            for key in ["single_word", "lstrip", "rstrip", "normalized"] { object[key] = false }
            object["special"] = .bool(token.isSpecial)
            return JSONValue.object(object)
        }
        var file = JSONObject()
        file["version"] = "1.0"
        file["truncation"] = .null
        file["padding"] = .null
        file["added_tokens"] = .array(added)
        for (key, value) in scheme.fileContent(tokens: tokens) { file[key] = value }
        return .object(file)
    }

    private var configContent: JSONValue {
        var config = JSONObject()
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
        for (key, id) in [("bos_token", beginningOfText), ("eos_token", endOfText), ("unk_token", endOfText)] {
            if let id { config[key] = .string(tokens[Int(id)]) }
        }
        // Off, because it would change spaces of decoded text.
        config["clean_up_tokenization_spaces"] = false
        return .object(config)
    }
}

extension ByteLevelBPE {
    func fileContent(tokens: [String]) -> [(key: String, value: JSONValue)] {
        var vocabulary = JSONObject()
        for (id, token) in tokens.enumerated() { vocabulary[token] = .integer(id) }
        var model = JSONObject()
        model["type"] = "BPE"
        for key in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"] { model[key] = .null }
        for key in ["fuse_unk", "byte_fallback", "ignore_merges"] { model[key] = false }
        model["vocab"] = .object(vocabulary)
        model["merges"] = .array(
            merges.pairs.map { [.string(tokens[Int($0.left)]), .string(tokens[Int($0.right)])] }
        )
        return [
            ("normalizer", .null),
            ("pre_tokenizer", Self.byteLevel(addsPrefixSpace: addsPrefixSpace, trimsOffsets: true)),
            ("post_processor", Self.byteLevel(addsPrefixSpace: true, trimsOffsets: false)),
            ("decoder", Self.byteLevel(addsPrefixSpace: true, trimsOffsets: true)),
            ("model", .object(model)),
        ]
    }

    private static func byteLevel(addsPrefixSpace: Bool, trimsOffsets: Bool) -> JSONValue {
        [
            "type": "ByteLevel", "add_prefix_space": .bool(addsPrefixSpace), "trim_offsets": .bool(trimsOffsets),
            "use_regex": true,
        ]
    }
}
