import Failures
import Foundation
import Testing

@testable import Text

@Suite("Training a vocabulary")
struct TrainerTests {
    @Test("the textbook example: low, lower, newest, widest")
    func textbook() throws {
        let texts = [("low", 5), (" lower", 2), (" newest", 6), (" widest", 3)].flatMap {
            Array(repeating: $0.0, count: $0.1)
        }
        let tokenizer = try BytePairTrainer(vocabularySize: 260).train(on: texts)
        // "es" and "st" occur 9 times each; the tie goes to "e", whose character comes first. Then es+t, then l+o at 7.
        #expect((257..<260).map { tokenizer.token(for: $0) } == ["es", "est", "lo"])
        #expect(tokenizer.encode(" lowest").map { tokenizer.token(for: $0) } == ["Ġ", "lo", "w", "est"])
    }

    @Test("ids are the special token, the bytes in the order of their characters, then merges")
    func layout() throws {
        let tokenizer = try BytePairTrainer(vocabularySize: 257).train(on: ["anything"])
        #expect(tokenizer.vocabularySize == 257)
        #expect(tokenizer.endOfText == 0)
        #expect(tokenizer.id(ofAddedToken: "<|endoftext|>") == 0)
        #expect(tokenizer.encode("!\"~\u{0} ") == [1, 2, 94, 189, 221])
        #expect(try tokenizer.decodeBytes(1...256).sorted() == Array(0...255))
    }

    @Test("a pair that is too rare is not merged")
    func minimumFrequency() throws {
        #expect(
            try BytePairTrainer(vocabularySize: 300, minimumFrequency: 3).train(on: ["ab ab ab"]).vocabularySize == 258
        )
        #expect(
            try BytePairTrainer(vocabularySize: 300, minimumFrequency: 4).train(on: ["ab ab ab"]).vocabularySize == 257
        )
    }

    @Test("nothing to learn from")
    func empty() throws {
        let tokenizer = try BytePairTrainer(vocabularySize: 300).train(on: [])
        #expect(tokenizer.vocabularySize == 257)
        #expect(try tokenizer.decode(tokenizer.encode("naïve")) == "naïve")
    }

    @Test("a vocabulary without room for the bytes is refused")
    func tooSmall() {
        #expect(throws: Failure.self) { try BytePairTrainer(vocabularySize: 256) }
    }

    @Test("the special token's text is never learned as a token of text")
    func specialText() throws {
        let tokenizer = try BytePairTrainer(vocabularySize: 400, minimumFrequency: 1)
            .train(on: Array(repeating: "<|endoftext|> <|endoftext|>", count: 9))
        #expect(!tokenizer.encode("<|endoftext|>").contains(0))
    }

    @Test("counts stay right where a pair overlaps itself")
    func overlaps() throws {
        // "aaaa" has aa three times; after the merge, aa·aa once per word.
        let tokenizer = try BytePairTrainer(vocabularySize: 259).train(on: ["aaaa", "aaaa", "aaa"])
        #expect(tokenizer.encode("aaaa").map { tokenizer.token(for: $0) } == ["aaaa"])
    }
}
