import Failures
import StrictJSON
import Testing

@testable import Text

/// The schemes besides GPT-2's, against `tokenizers` (modern.json).
@Suite("Llama's, Qwen2's and SmolLM2's vocabularies")
struct SchemeTests {
    private func fields() throws -> JSONFields {
        let file = fixture("modern.json")
        return try JSONFields(JSONValue(contentsOfFile: file), at: file)
    }

    private func file(_ name: String) throws -> JSONValue {
        .object(try fields().fields(name).fields("tokenizer").object)
    }

    private func tokenizer(_ file: JSONValue) throws -> Tokenizer {
        try Tokenizer(JSONFields(file, at: "tokenizer.json"), config: nil)
    }

    @Test(
        "ids of hard texts equal those of tokenizers",
        arguments: ["llama3", "qwen2", "digits", "sentencepiece", "metaspace"]
    )
    func golden(name: String) throws {
        let golden = try fields()
        let texts = try golden.strings("texts")
        let expected = try golden.fields(name)
        let tokenizer = try tokenizer(file(name))
        // The second round meets a warm cache.
        for round in 0..<2 {
            for (i, text) in texts.enumerated() {
                func ids(_ key: String) throws -> [Int32] {
                    try expected.array(key)[i].array?.map { Int32($0.integer ?? -1) } ?? []
                }
                let found = tokenizer.encodeSequence(text)
                #expect(try found == ids("ids"), "\(text.debugDescription), round \(round)")
                let special = tokenizer.encodeSequence(text, specialTokens: .recognized)
                #expect(try special == ids("ids_special"), "\(text.debugDescription), special, round \(round)")
                let decoded = try tokenizer.decode(found, skippingSpecialTokens: true)
                let theirs = try expected.strings("decoded")[i]
                #expect(Array(decoded.utf8) == Array(theirs.utf8), "\(text.debugDescription)")
            }
        }
    }

    @Test("words merged one by one have the ids of the text merged as a whole")
    func wordByWord() throws {
        let tokenizer = try tokenizer(file("sentencepiece"))
        let scheme = try #require(tokenizer.scheme as? SentencePieceBPE)
        #expect(scheme.splitsWords)
        let whole = SentencePieceBPE(
            characterTokens: scheme.characterTokens,
            byteTokens: scheme.byteTokens,
            merges: scheme.merges,
            prefixSpace: scheme.prefixSpace,
            splitsWords: false
        )
        for text in try fields().strings("texts") {
            var ids: [Int32] = []
            whole.encode(Array(text.utf8), at: .beginning, appendingTo: &ids)
            #expect(ids == tokenizer.encode(text), "\(text.debugDescription)")
        }
    }

    @Test("a response goes on after its prompt, without a space of its own", arguments: ["sentencepiece", "metaspace"])
    func continuation(name: String) throws {
        let tokenizer = try tokenizer(file(name))
        let prompt = tokenizer.encodeSequence("The film")
        for response in [" was dull", "s", "\nwatching", ""] {
            let ids = tokenizer.encode(response, at: .continuation)
            #expect(try tokenizer.decode(ids, at: .continuation) == response)
            #expect(try tokenizer.decode(prompt + ids, skippingSpecialTokens: true) == "The film" + response)
        }
        #expect(tokenizer.prefix == [1])
    }

    @Test("any bytes can be encoded and come back", arguments: ["llama3", "sentencepiece"])
    func anyBytes(name: String) throws {
        let tokenizer = try tokenizer(file(name))
        let cases: [[UInt8]] = [[0xFF, 0x41], [0xE2, 0x96], [0xF0, 0x9F, 0x98], [0xC0, 0x80, 0x20], [0x80, 0x80]]
        for bytes in cases {
            let ids = tokenizer.encode(bytes, at: .continuation)
            #expect(try tokenizer.decodeBytes(ids, at: .continuation) == bytes)
        }
    }

    @Test("other forms are refused, naming the member")
    func refused() throws {
        let (llama3, sentencePiece) = (try file("llama3"), try file("sentencepiece"))
        let digits = try file("digits")
        func digitSteps(_ individual: Bool, addsSpace: Bool = false, usesPattern: Bool = true) -> JSONValue {
            let byteLevel: JSONValue = [
                "type": "ByteLevel", "add_prefix_space": .bool(addsSpace), "trim_offsets": true,
                "use_regex": .bool(usesPattern),
            ]
            let steps: [JSONValue] = [["type": "Digits", "individual_digits": .bool(individual)], byteLevel]
            return ["type": "Sequence", "pretokenizers": .array(steps)]
        }
        let cases: [(file: JSONValue, key: String)] = [
            (llama3.setting("normalizer", to: ["type": "NFKC"]), "normalizer"),
            (llama3.setting("pre_tokenizer", to: ["type": "Whitespace"]), "pre_tokenizer"),
            (llama3.setting("decoder", to: ["type": "WordPiece"]), "decoder"),
            (llama3.setting("post_processor", to: ["type": "BertProcessing"]), "post_processor"),
            (digits.setting("pre_tokenizer", to: digitSteps(false)), "pre_tokenizer"),
            (digits.setting("pre_tokenizer", to: digitSteps(true, addsSpace: true)), "pre_tokenizer"),
            (digits.setting("pre_tokenizer", to: digitSteps(true, usesPattern: false)), "pre_tokenizer"),
            (digits.setting("model", "unk_token", to: "<|endoftext|>"), "model.unk_token"),
            (sentencePiece.setting("normalizer", to: ["type": "NFC"]), "normalizer"),
            (sentencePiece.setting("pre_tokenizer", to: ["type": "Whitespace"]), "pre_tokenizer"),
            (sentencePiece.setting("model", "ignore_merges", to: true), "ignore_merges"),
            (sentencePiece.setting("model", "type", to: "Unigram"), "model"),
            (sentencePiece.setting("model", "vocab", "<0x41>", to: nil), "vocab"),
            (
                sentencePiece.setting("post_processor", "single", to: [["SpecialToken": ["id": "<s>"]]]),
                "post_processor"
            ),
        ]
        for (file, key) in cases {
            do {
                _ = try tokenizer(file)
                Issue.record("accepted another \(key)")
            } catch let error as Failure {
                #expect(error.message.contains(key), "\(error)")
                #expect([.configuration, .badData].contains(error.code))
            }
        }
        let other: JSONValue = [
            "type": "Sequence",
            "pretokenizers": [
                ["type": "Split", "pattern": ["Regex": "(a+)+$"], "behavior": "Isolated", "invert": false],
                ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false],
            ],
        ]
        #expect(throws: Failure.self) { try tokenizer(llama3.setting("pre_tokenizer", to: other)) }
    }

    @Test("the matches of a pattern may be what is kept, as in OLMo 2's file")
    func keptMatches() throws {
        let pattern: JSONValue = ["Regex": .string(WordSplit.llama3.pattern)]
        func steps(_ behavior: JSONValue, invert: JSONValue) -> JSONValue {
            [
                "type": "Sequence",
                "pretokenizers": [
                    ["type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert],
                    ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false],
                ],
            ]
        }
        let file = try file("llama3")
        let kept = try tokenizer(file.setting("pre_tokenizer", to: steps("Removed", invert: true)))
        for text in try fields().strings("texts") {
            #expect(try kept.encode(text) == tokenizer(file).encode(text), "\(text.debugDescription)")
        }
        for (behavior, invert) in [("Removed", false), ("Isolated", true)] as [(JSONValue, JSONValue)] {
            #expect(throws: Failure.self) {
                try tokenizer(file.setting("pre_tokenizer", to: steps(behavior, invert: invert)))
            }
        }
    }

    @Test("only vocabularies of our own training are written")
    func writing() throws {
        let tokenizer = try tokenizer(file("sentencepiece"))
        #expect(throws: Failure.self) { try tokenizer.write(toDirectory: "/nonexistent/place") }
    }
}
