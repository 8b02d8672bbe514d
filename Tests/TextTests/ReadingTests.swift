import Failures
import Foundation
import StrictJSON
import Testing

@testable import Text

private func failure(_ body: () throws -> Void) -> Failure? {
    do { try body() } catch { return error as? Failure }
    return nil
}

private func read(_ file: JSONValue, config: JSONValue? = nil) throws -> Tokenizer {
    try Tokenizer(
        JSONFields(file, at: "tokenizer.json"),
        config: config.map { value throws(Failure) in try JSONFields(value, at: "tokenizer_config.json") }
    )
}

@Suite("Reading and writing tokenizer files")
struct ReadingTests {
    @Test("trained on the same texts, our vocabulary and merges are those of tokenizers")
    func trainedAlike() throws {
        let theirs = try Tokenizer(directory: fixture("tiny"))
        let ours = try BytePairTrainer(vocabularySize: 400).train(on: try goldenCases().corpus)
        #expect(ours.tokens == theirs.tokens)
        let merges = try [ours, theirs].map {
            try #require($0.scheme as? ByteLevelBPE).merges.pairs.map { [$0.left, $0.right] }
        }
        #expect(merges[0].count == 143)
        #expect(merges[0] == merges[1])
    }

    @Test("what is written reads back the same")
    func roundTrip() throws {
        let directory = NSTemporaryDirectory() + "tokenizer-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let original = try Tokenizer(directory: fixture("tiny"))
        try original.write(toDirectory: directory)
        let copy = try Tokenizer(directory: directory)
        #expect(copy.tokens == original.tokens)
        #expect(copy.endOfText == 0)
        #expect(copy.beginningOfText == 0)
        for golden in try goldenCases().cases {
            #expect(copy.encode(golden.text, specialTokens: .recognized) == golden.special)
        }
    }

    @Test("merges may be written as \"left right\"")
    func mergeStrings() throws {
        let file = try tinyFile()
        let pairs = file.object?["model"]?.object?["merges"]?.array ?? []
        let strings = pairs.map { pair in
            JSONValue.string((pair.array ?? []).compactMap(\.string).joined(separator: " "))
        }
        let tokenizer = try read(file.setting("model", "merges", to: .array(strings)))
        for golden in try goldenCases().cases { #expect(tokenizer.encode(golden.text) == golden.asText) }
    }

    @Test("a merge's right token may begin with a combining mark")
    func mergeOfMark() throws {
        var file = try tinyFile()
        let merges = file.object?["model"]?.object?["merges"]?.array ?? []
        let model = try #require(file.object?["model"]?.object)
        var vocabulary = try #require(model["vocab"]?.object)
        let size = try read(file).vocabularySize
        for (offset, token) in ["\u{301}", "a\u{301}"].enumerated() { vocabulary[token] = .integer(size + offset) }
        file = file.setting("model", "vocab", to: .object(vocabulary))
        file = file.setting("model", "merges", to: .array(merges + [.string("a \u{301}")]))
        let scheme = try #require(try read(file).scheme as? ByteLevelBPE)
        #expect(scheme.merges.pairs.count == merges.count + 1)
    }

    @Test("an added token is not longer than any that is known")
    func longAddedToken() throws {
        let file = try tinyFile()
        let size = try read(file).vocabularySize
        for (length, isRead) in [(1024, true), (1025, false)] {
            let token: JSONValue = ["id": .integer(size), "content": .string(String(repeating: "x", count: length))]
            let added = (file.object?["added_tokens"]?.array ?? []) + [token]
            #expect((failure { _ = try read(file.setting("added_tokens", to: .array(added))) } == nil) == isRead)
        }
    }

    @Test("canonically equivalent tokens are two tokens")
    func canonicalTwins() throws {
        // The byte C3 is spelled "Ã" (U+00C3), whose decomposition is "A" + U+0303.
        let file = try tinyFile().setting("model", "vocab", "A\u{303}", to: 400)
        let tokenizer = try read(file)
        #expect(tokenizer.token(for: 400).map { Array($0.utf8) } == Array("A\u{303}".utf8))
        let byte = try #require(tokenizer.encode([0xC3]).first)
        #expect(byte != 400)
        #expect(tokenizer.token(for: byte).map { Array($0.utf8) } == Array("\u{C3}".utf8))
    }

    @Test("the token that ends a text is named as text or as an object, or not at all")
    func endOfText() throws {
        let file = try tinyFile()
        #expect(try read(file, config: ["eos_token": "<|endoftext|>"]).requiredEndOfText() == 0)
        #expect(try read(file, config: ["eos_token": ["content": "<|endoftext|>"]]).endOfText == 0)
        #expect(try read(file, config: ["eos_token": nil]).endOfText == nil)
        #expect(failure { _ = try read(file).requiredEndOfText() }?.code == .configuration)
        #expect(failure { _ = try read(file, config: ["eos_token": "</s>"]) }?.location == "tokenizer_config.json")
        #expect(failure { _ = try read(file, config: ["eos_token": 3]) }?.code == .badData)
    }

    @Test("files that contradict themselves are refused with 65")
    func malformed() throws {
        let file = try tinyFile()
        let token: (Int, String) -> JSONValue = { ["id": .integer($0), "content": .string($1), "special": true] }
        let cases: [(JSONValue, String)] = [
            (file.setting("model", "merges", to: nil), "'model.merges' is missing"),
            (file.setting("model", "vocab", to: nil), "'model.vocab' is missing"),
            (file.setting("model", "merges", to: [["q", "q"]]), "\"qq\", which is not in the vocabulary"),
            (file.setting("model", "merges", to: ["a b c"]), "must be \"left right\""),
            (file.setting("model", "merges", to: [["a"]]), "must be \"left right\""),
            (file.setting("model", "merges", to: [["a", 1]]), "must be \"left right\""),
            (file.setting("model", "merges", to: [3]), "must be \"left right\""),
            (file.setting("model", "vocab", "a", to: 1), "has id"),
            (file.setting("model", "vocab", "new", to: 401), "must run from 0 to 400"),
            (file.setting("model", "vocab", "a", to: -1), "must be an id"),
            (file.setting("model", "vocab", "a", to: .integer(1 << 31)), "must be an id"),
            (file.setting("model", "vocab", "a", to: 1.0), "must be an id"),
            (file.setting("model", "vocab", "a", to: "1"), "must be an id"),
            (file.setting("model", "vocab", "a", to: nil), "ids must run from 0"),
            (file.setting("added_tokens", to: [token(0, "")]), "is empty"),
            (file.setting("added_tokens", to: [token(5, "<|endoftext|>")]), "in 'added_tokens'"),
            (file.setting("added_tokens", to: [token(3, "<x>")]), "has id"),
            (file.setting("added_tokens", to: [token(400, "<x>"), token(401, "<x>")]), "listed twice"),
            (file.setting("added_tokens", to: [token(400, "<x>"), token(400, "<y>")]), "listed twice"),
            (file.setting("added_tokens", to: [token(-1, "<x>")]), "must be in 0"),
            (file.setting("model", to: []), "expected an object"),
            ([], "expected an object"),
        ]
        for (file, message) in cases {
            let found = failure { _ = try read(file) }
            #expect(found?.code == .badData, "\(message)")
            #expect(found?.message.contains(message) == true, "\(message): \(found?.description ?? "accepted")")
        }
    }

    @Test("a vocabulary that cannot spell printable ASCII is refused")
    func missingByte() throws {
        let file = try tinyFile()
        var vocabulary = try #require(file.object?["model"]?.object?["vocab"]?.object)
        let id = vocabulary["a"]
        vocabulary["a"] = nil
        vocabulary["other"] = id
        let changed = file.setting("model", "vocab", to: .object(vocabulary)).setting("model", "merges", to: [])
        #expect(failure { _ = try read(changed) }?.message.contains("the token of byte 97") == true)
    }

    @Test("tokenizers of other kinds are refused by name with 78")
    func otherKinds() throws {
        let file = try tinyFile()
        let cases: [(JSONValue, String)] = [
            (file.setting("model", "type", to: "Unigram"), "'model' is Unigram"),
            (file.setting("normalizer", to: ["type": "NFD"]), "'normalizer' is NFD"),
            (file.setting("pre_tokenizer", to: ["type": "Metaspace"]), "'pre_tokenizer' is Metaspace"),
            (file.setting("pre_tokenizer", to: nil), "'pre_tokenizer' is missing"),
            (file.setting("pre_tokenizer", "use_regex", to: false), "'pre_tokenizer.use_regex' is false"),
            (file.setting("decoder", "type", to: "Sequence"), "'decoder' is Sequence"),
            (
                file.setting("post_processor", "type", to: "RobertaProcessing"),
                "'post_processor' is RobertaProcessing"
            ),
            (file.setting("model", "byte_fallback", to: true), "'pre_tokenizer' is ByteLevel"),
            (file.setting("model", "dropout", to: 0.1), "'model.dropout' is set"),
            (file.setting("model", "end_of_word_suffix", to: "</w>"), "'model.end_of_word_suffix' is \"</w>\""),
            (
                file.setting("added_tokens", to: [["id": 0, "content": "<|endoftext|>", "lstrip": true]]),
                "'added_tokens[0].lstrip' is true"
            ),
        ]
        for (file, message) in cases {
            let found = failure { _ = try read(file) }
            #expect(found?.code == .configuration, "\(message)")
            #expect(found?.message.hasPrefix(message) == true, "\(message): \(found?.description ?? "accepted")")
        }
    }

    @Test(
        "the chat template is that of its own file, or of tokenizer_config.json as a text or as the default of a list"
    )
    func chatTemplates() throws {
        let directory = NSTemporaryDirectory() + "tokenizer-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Tokenizer(directory: fixture("tiny")).write(toDirectory: directory)
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
        func found() throws -> String? { try Tokenizer(directory: directory).chatTemplate?.text }
        #expect(try found() == nil)
        try write(#"{"chat_template": null}"#, "tokenizer_config.json")
        #expect(try found() == nil)
        try write(#"{"chat_template": "a{{ b }}"}"#, "tokenizer_config.json")
        #expect(try found() == "a{{ b }}")
        let list = #"[{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}]"#
        try write(#"{"chat_template": \#(list)}"#, "tokenizer_config.json")
        #expect(try found() == "d")
        try write(#"{"chat_template": 3}"#, "tokenizer_config.json")
        #expect(failure { _ = try Tokenizer(directory: directory) }?.message.contains("chat_template") == true)
        try write("own", "chat_template.jinja")
        #expect(try found() == "own")
    }

    @Test("a directory without a tokenizer is missing input")
    func missing() {
        #expect(failure { _ = try Tokenizer(directory: "/nonexistent") }?.code == .missingInput)
    }
}
