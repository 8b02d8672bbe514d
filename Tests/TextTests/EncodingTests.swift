import Failures
import Foundation
import StrictJSON
import Testing

@testable import Text

@Suite("Encoding and decoding")
struct EncodingTests {
    private func tiny() throws -> Tokenizer { try Tokenizer(directory: fixture("tiny")) }

    private func tokenizer(_ file: JSONValue) throws -> Tokenizer {
        try Tokenizer(JSONFields(file, at: "tokenizer.json"), config: nil)
    }

    @Test("ids of hard texts equal those of tokenizers, and decode to the text")
    func golden() throws {
        let tokenizer = try tiny()
        let cases = try goldenCases().cases
        #expect(cases.count > 100)
        // The second round meets a warm cache.
        for golden in cases + cases {
            #expect(tokenizer.encode(golden.text) == golden.asText, "\(golden.testDescription)")
            #expect(
                tokenizer.encode(golden.text, specialTokens: .recognized) == golden.special,
                "\(golden.testDescription)"
            )
            #expect(
                Array(try tokenizer.decode(golden.asText).utf8) == Array(golden.text.utf8),
                "\(golden.testDescription)"
            )
            #expect(
                Array(try tokenizer.decode(golden.special).utf8) == Array(golden.text.utf8),
                "\(golden.testDescription)"
            )
        }
    }

    @Test("ids beyond the vocabulary, which a padded model can draw, have no text")
    func paddedIDs() throws {
        let tokenizer = try tiny()
        let padding = Int32(tokenizer.vocabularySize)
        let ids = tokenizer.encode(" film")
        #expect(tokenizer.text(ofSampled: ids) == " film")
        #expect(tokenizer.text(ofSampled: [padding] + ids + [padding + 7]) == "\u{FFFD} film\u{FFFD}")
        #expect(throws: Failure.self) { try tokenizer.decode([padding]) }
    }

    @Test("add_prefix_space, as tokenizers does it")
    func prefixSpace() throws {
        let tokenizer = try tokenizer(tinyFile().setting("pre_tokenizer", "add_prefix_space", to: true))
        for golden in try goldenCases().cases {
            #expect(
                tokenizer.encode(golden.text, specialTokens: .recognized) == golden.prefixSpace,
                "\(golden.testDescription)"
            )
        }
    }

    @Test("an added word that is no special token is recognized in any text")
    func addedWord() throws {
        var file = try tinyFile()
        let user: JSONValue = ["id": 400, "content": "<|user|>", "special": false]
        file = file.setting("added_tokens", to: .array((file.object?["added_tokens"]?.array ?? []) + [user]))
        let tokenizer = try tokenizer(file)
        #expect(tokenizer.vocabularySize == 401)
        for golden in try goldenCases().cases {
            #expect(
                tokenizer.encode(golden.text, specialTokens: .recognized) == golden.added,
                "\(golden.testDescription)"
            )
        }
        #expect(tokenizer.encode("<|user|><|endoftext|>").first == 400)
        #expect(!tokenizer.encode("<|user|><|endoftext|>").contains(0))
    }

    @Test("of added tokens that begin alike the longest is taken")
    func longestAdded() {
        let tokens = [("<a", 1), ("<a>", 2), ("<a>>", 3)].map { AddedTokens.Token(id: $1, text: $0, isSpecial: true) }
        var found: [Int32] = []
        AddedTokens(tokens).forEachMatch(in: Array("<<a<a><a>>>".utf8), specialTokens: .recognized) { found.append($1) }
        #expect(found == [1, 2, 3])
    }

    @Test(
        "a pretty split of the pattern's alternatives",
        arguments: [
            ("it's a  test", ["it", "'s", " a", " ", " test"]), ("\r\n\r\nx", ["\r\n\r", "\n", "x"]),
            ("a \n b", ["a", " \n", " b"]),
            ("'S 'll", ["'", "S", " '", "ll"]), ("x\u{A0}\u{A0}y", ["x", "\u{A0}", "\u{A0}", "y"]),
            ("½a!?1  ", ["½", "a", "!?", "1", "  "]),
        ]
    )
    func split(text: String, words: [String]) {
        let bytes = Array(text.utf8)
        var found: [String] = []
        var start = 0
        while start < bytes.count {
            let end = WordSplit.gpt2.endOfWord(in: bytes, from: start)
            found.append(String(decoding: bytes[start..<end], as: UTF8.self))
            start = end
        }
        #expect(found == words)
    }

    @Test("every Unicode scalar has the class it has in tokenizers")
    func classes() throws {
        let file = fixture("classes.json")
        let ranges = try JSONValue(contentsOfFile: file).array ?? []
        let names: [ScalarClass: String] = [.other: "other", .letter: "letter", .number: "number", .space: "space"]
        var differing: [String] = []
        for (i, range) in ranges.enumerated() {
            let start = try #require(range.array?[0].integer)
            let end = i + 1 < ranges.count ? try #require(ranges[i + 1].array?[0].integer) : 0x110000
            for value in start..<end {
                guard let scalar = Unicode.Scalar(UInt32(value)) else { continue }
                let found = ScalarClass.next(in: Array(String(scalar).utf8), at: 0)
                #expect(found.length == String(scalar).utf8.count)
                if names[found.class] != range.array?[1].string { differing.append(String(value, radix: 16)) }
            }
        }
        #expect(differing == [])
    }

    @Test("any bytes are encoded and come back, UTF-8 or not")
    func anyBytes() throws {
        let tokenizer = try tiny()
        let invalid: [[UInt8]] = [
            [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF0, 0x9F, 0x98], [0x61, 0xFF, 0x20, 0xFE], Array(0...255), Array((0...255).reversed()),
        ]
        for bytes in invalid { #expect(try tokenizer.decodeBytes(tokenizer.encode(bytes)) == bytes) }
        #expect(try tokenizer.decode(tokenizer.encode([0x61, 0xF0, 0x9F, 0x98, 0x62])) == "a\u{FFFD}b")
    }

    @Test("canonically equivalent texts have ids of their own")
    func canonicalEquivalents() throws {
        let tokenizer = try tiny()
        #expect(tokenizer.encode("\u{E9}") != tokenizer.encode("e\u{301}"))
    }

    @Test("scanning and the heap merge alike")
    func twoWays() throws {
        let tokenizer = try tiny()
        let scheme = try #require(tokenizer.scheme as? ByteLevelBPE)
        for golden in try goldenCases().cases {
            var scanned = golden.text.utf8.compactMap { scheme.byteTokens[Int($0)] }
            var heaped = scanned
            BytePairMerging.mergeByScanning(&scanned, scheme.merges)
            BytePairMerging.mergeByHeap(&heaped, scheme.merges)
            #expect(scanned == heaped)
        }
    }

    // Merging by scanning would take many minutes: 2⁴⁰ comparisons.
    @Test("a megabyte without a space is no trouble", .timeLimit(.minutes(1)), arguments: ["a", " ", "日"])
    func longWords(unit: String) throws {
        let tokenizer = try tiny()
        let text = String(repeating: unit, count: (1 << 20) / unit.utf8.count)
        #expect(try tokenizer.decode(tokenizer.encode(text)) == text)
    }

    @Test("many threads share a tokenizer")
    func threads() async throws {
        let tokenizer = try tiny()
        let cases = try goldenCases().cases
        let expected = cases.map(\.asText)
        await withTaskGroup(of: [[Int32]].self) { group in
            for _ in 0..<8 { group.addTask { cases.map { tokenizer.encode($0.text) } } }
            for await ids in group { #expect(ids == expected) }
        }
    }

    @Test("decoding skips special tokens on request and refuses ids outside the vocabulary")
    func decoding() throws {
        let tokenizer = try tiny()
        let ids = tokenizer.encode("a<|endoftext|>b", specialTokens: .recognized)
        #expect(try tokenizer.decode(ids, skippingSpecialTokens: true) == "ab")
        #expect(try tokenizer.decode(ids) == "a<|endoftext|>b")
        for id: Int32 in [-1, 400, .max] {
            #expect(throws: Failure.self) { try tokenizer.decode([id]) }
            #expect(tokenizer.token(for: id) == nil)
        }
    }
}
