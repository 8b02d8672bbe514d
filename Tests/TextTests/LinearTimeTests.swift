import Foundation
import StrictJSON
import Testing

@testable import Text

/// What may be long without taking the square of its length: each would run for hours if it did, and takes a second
/// or two.
@Suite(.timeLimit(.minutes(5))) struct LinearTimeTests {
    /// Numbers that look random and are the same each time.
    private struct Numbers {
        var state: UInt64
        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }

    @Test func longRunsOfCombiningMarksAreComposed() {
        let count = 1_000_000
        let text = "a" + String(repeating: "\u{301}\u{316}", count: count)
        let composed = canonicallyComposed(text)
        // á, then the marks below, then those above.
        let expected: [Unicode.Scalar] = ["\u{E1}"] + Array(repeating: "\u{316}", count: count)
        #expect(Array(composed.unicodeScalars.prefix(count + 1)) == expected)
        #expect(composed.unicodeScalars.count == 2 * count)
    }

    @Test func composingIsFoundations() {
        let scalars: [Unicode.Scalar] = [
            "a", "e", "\u{E9}", "\u{1EA1}", "\u{301}", "\u{316}", "\u{323}", "\u{308}", "\u{344}", "\u{345}", "\u{F71}",
            "\u{F72}", "\u{F40}", "\u{1100}", "\u{1161}", "\u{11A8}", "\u{3099}", "\u{304B}", "\u{200D}",
            "\u{1D165}", "\u{1D15E}", "\u{9BE}", "\u{9C7}", "\u{16B}", "\u{5B0}", "\u{FB2A}", "\u{2126}",
        ]
        var numbers = Numbers(state: 5)
        for _ in 0..<4_000 {
            let text = String(
                String.UnicodeScalarView(
                    (0..<numbers.next(below: 14)).map { _ in scalars[numbers.next(below: scalars.count)] }
                )
            )
            let expected = Array(text.precomposedStringWithCanonicalMapping.unicodeScalars)
            #expect(Array(canonicallyComposed(text, longest: 1).unicodeScalars) == expected, "\(text.debugDescription)")
        }
    }

    /// As Python's `unicodedata` has them.
    @Test func tibetanVowelsAreComposed() {
        for (text, expected) in [
            ("\u{F40}\u{F75}\u{316}", "\u{F40}\u{F71}\u{F74}\u{316}"), ("\u{316}\u{F75}", "\u{F71}\u{F74}\u{316}"),
            ("\u{F81}\u{F73}\u{301}\u{F71}", "\u{F71}\u{F71}\u{F71}\u{F80}\u{F72}\u{301}"),
            ("a\u{344}\u{F73}\u{323}", "\u{1EA1}\u{F71}\u{F72}\u{308}\u{301}"),
        ] {
            #expect(canonicallyComposed(text).utf8.elementsEqual(expected.utf8), "\(text.debugDescription)")
        }
    }

    @Test func manyAddedTokensAreMatched() {
        let tokens = AddedTokens((0..<50_000).map { .init(id: Int32($0), text: "<|reserved_\($0)|>", isSpecial: true) })
        let text = String(repeating: "<|reserved_", count: 1 << 18) + "<|reserved_49999|>"
        var found: [Int32] = []
        tokens.forEachMatch(in: Array(text.utf8), specialTokens: .recognized) { found.append($1) }
        #expect(found == [49_999])
        #expect(tokens.id(of: "<|reserved_31|>") == 31 && tokens.id(of: "<|reserved_50000|>") == nil)
    }

    @Test func addedTokensAreMatchedLeftmostAndLongest() {
        var numbers = Numbers(state: 11)
        func word(_ longest: Int) -> String {
            String((0...numbers.next(below: longest)).map { _ in ["a", "b", "é"][numbers.next(below: 3)] }.joined())
        }
        for _ in 0..<300 {
            let texts = Array(Set((0..<12).map { _ in word(4) })).sorted()
            let list = texts.enumerated().map { AddedTokens.Token(id: Int32($0), text: $1, isSpecial: $0 % 2 == 0) }
            let tokens = AddedTokens(list)
            let bytes = Array(word(30).utf8)
            for special in [Tokenizer.SpecialTokens.recognized, .asText] {
                var expected: [Int32] = []
                var at = 0
                while at < bytes.count {
                    let fitting = list.filter { token in
                        (special == .recognized || !token.isSpecial) && bytes[at...].starts(with: token.text.utf8)
                    }
                    if let best = fitting.max(by: { $0.text.utf8.count < $1.text.utf8.count }) {
                        expected.append(best.id)
                        at += best.text.utf8.count
                    } else {
                        at += 1
                    }
                }
                var found: [Int32] = []
                tokens.forEachMatch(in: bytes, specialTokens: special) { found.append($1) }
                #expect(found == expected, "\(texts) in \(bytes)")
            }
        }
    }

    @Test func aTokenizerWithManyAddedTokensIsRead() throws {
        let file = try tinyFile()
        let own = file.object?["added_tokens"]?.array ?? []
        let size = try Tokenizer(JSONFields(file, at: "tokenizer.json"), config: nil).vocabularySize
        let added = (0..<100_000).map { index -> JSONValue in
            ["id": .integer(size + index), "content": .string("<|\(index)|>"), "special": .bool(index % 2 == 0)]
        }
        // A template that names as many.
        let pieces = (0..<100_000).map { index -> JSONValue in ["SpecialToken": ["id": .string("<|\(index)|>")]] }
        let template: JSONValue = [
            "type": "TemplateProcessing", "single": .array(pieces + [["Sequence": ["id": "A"]]]),
        ]
        let long = file.setting("added_tokens", to: .array(own + added)).setting("post_processor", to: template)
        let tokenizer = try Tokenizer(JSONFields(long, at: "tokenizer.json"), config: nil)
        #expect(tokenizer.vocabularySize == size + 100_000 && tokenizer.prefix.count == 100_000)
        #expect(tokenizer.encode("<|7|>") == [Int32(size + 7)])
    }

    @Test func aLongConversationIsCut() throws {
        let tokenizer = try Tokenizer(directory: fixture("tiny"))
        let encoding = try ChatEncoding(tokenizer, .tulu, endOfText: tokenizer.endOfText)
        let turns = (0..<64_000).map { Message($0 % 2 == 0 ? .user : .assistant, "w\($0)") }
        let conversation = Conversation([Message(.system, "s")] + turns + [Message(.user, "last")])
        let (kept, tokens) = encoding.prompt(conversation, atMost: 200)
        #expect(tokens.count <= 200 && tokens == encoding.prompt(kept))
        #expect(kept.messages.first?.role == .system && kept.messages.last?.content == "last")
        // One exchange more does not fit.
        let more = conversation.messages.count - kept.messages.count - 1
        let longer = Conversation([conversation.messages[0]] + conversation.messages[more...])
        #expect(kept.messages.count > 3 && encoding.prompt(longer).count > 200)
    }
}
