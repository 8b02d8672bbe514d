import Failures
import Synchronization
import Testing

@testable import Preferences
@testable import Text

/// A tokenizer of one id a byte.
func bytes(_ text: String) -> [Int32] { text.utf8.map(Int32.init) }

/// One id a byte, but for one text, and how long the longest text was.
private final class ByteScheme: TokenScheme {
    let dropsLeadingSpace = false
    let longest = Mutex(0)

    func encode(_ bytes: [UInt8], at location: TextPlace, appendingTo ids: inout [Int32]) {
        longest.withLock { $0 = max($0, bytes.count) }
        ids += bytes.elementsEqual("bad".utf8) ? [1] : bytes.map(Int32.init)
    }
}

private func byteEncoding(_ scheme: ByteScheme = ByteScheme()) throws -> ChatEncoding {
    let all = (0..<256).map { [UInt8($0)] }
    let tokenizer = Tokenizer(
        tokens: all.map { "\($0[0])" },
        bytes: all,
        addedTokens: AddedTokens([]),
        scheme: scheme,
        endOfText: 0,
        beginningOfText: nil,
        location: "tokenizer.json"
    )
    return try ChatEncoding(tokenizer, ChatTemplate.none, endOfText: 0)
}

@Suite struct TokenizationTests {
    let options = TokenizationOptions(maximumLength: 8, vocabularySize: 256)

    func tokenizeOne(_ comparison: Comparison) throws -> (
        users: [User<TokenizedComparison>], report: TokenizationReport
    ) {
        try tokenize([User(id: "a", comparisons: [comparison])], options, encoding: byteEncoding())
    }

    @Test func appendsEndOfTextToCompleteResponses() throws {
        let (users, _) = try tokenizeOne(
            Comparison(prompt: "pq", chosen: "x", rejected: Response("yz", isComplete: false))
        )
        let expected = TokenizedComparison([bytes("pqx") + [0], bytes("pqyz")], promptHash: stableHash("pq"))
        #expect(users[0].comparisons == [expected])
        // The prompt once.
        #expect(users[0].comparisons[0].run.distinctTokens == 6)
    }

    @Test func cutsThePromptOnTheLeftForBothResponses() throws {
        let (users, report) = try tokenizeOne(Comparison(prompt: "pqrstuv", chosen: "x", rejected: "yyyy"))
        let expected = TokenizedComparison(
            [bytes("tuvx") + [0], bytes("tuvyyyy") + [0]],
            promptHash: stableHash("pqrstuv")
        )
        #expect(users[0].comparisons == [expected])
        #expect(report.truncatedPrompts == 1 && report.truncatedResponses == 0)
    }

    @Test func cutsAResponseThatExceedsTheLengthAlone() throws {
        let (users, report) = try tokenizeOne(Comparison(prompt: "pq", chosen: "xxxxxxxxx", rejected: "y"))
        #expect(users[0].comparisons[0].sequences[0] == bytes("qxxxxxxx"))
        #expect(report.truncatedPrompts == 1 && report.truncatedResponses == 1)
    }

    @Test func dropsResponsesThatTruncationMakesEqual() throws {
        let other = Comparison(prompt: "p", chosen: "x", rejected: "y")
        let same = Comparison(prompt: "p", chosen: "zzzzzzzA", rejected: "zzzzzzzB")
        let (users, report) = try tokenize(
            [User(id: "b", comparisons: [same]), User(id: "a", comparisons: [same, other])],
            options,
            encoding: byteEncoding()
        )
        #expect(users.map(\.id) == ["a"] && users[0].comparisons.count == 1)
        #expect(report.identical == 2 && report.usersWithoutComparisons == 1 && report.warnings.count == 2)
    }

    @Test func aRankingKeepsItsOrderAndWeight() throws {
        let ranking = Comparison(prompt: "p", responses: ["ab", "a", "bc", "c"], ranked: 2, weight: 0.5)
        let (users, _) = try tokenizeOne(ranking)
        let found = users[0].comparisons[0]
        #expect(found.sequences == ["pab", "pa", "pbc", "pc"].map { bytes($0) + [0] })
        #expect(found.ranked == 2 && found.weight == 0.5)
        // The prompt alone is common to all.
        #expect(found.run.sharedTokens == 1 && found.run.distinctTokens == 11)
    }

    @Test func refusesIdsOutsideTheVocabulary() {
        let options = TokenizationOptions(maximumLength: 8, vocabularySize: 100)
        let user = User(id: "a", comparisons: [Comparison(prompt: "p", chosen: "a", rejected: "b")])
        #expect {
            try tokenize([user], options, encoding: byteEncoding())
        } throws: {
            ($0 as? Failure)?.description.contains("user a: token id 112 outside the vocabulary of 100") == true
        }
    }

    @Test func takesDistinctOpeningsThatEncodeBack() throws {
        // "badly" opens with "bad", which encodes to something else.
        let texts: [PromptText] = [
            .opening(of: "abcdef"), .opening(of: "abc"), .opening(of: "abcxyz"), .opening(of: "badly"),
            .whole("whole one"),
        ]
        let (prompts, report) = try tokenizePrompts(
            texts,
            openingTokens: 3,
            maximumTokens: 5,
            encoding: byteEncoding()
        )
        #expect(prompts.map(\.text) == ["abc", "e one"])
        #expect(prompts.map(\.tokens) == [bytes("abc"), bytes("e one")])
        #expect((report.tooShort, report.unstable, report.duplicates, report.truncated) == (1, 1, 1, 1))
    }

    @Test func encodesNoMoreOfALongTextThanItsOpening() throws {
        let scheme = ByteScheme()
        let text = String(repeating: "some words ", count: 10_000)
        let (prompts, _) = try tokenizePrompts(
            [.opening(of: text)],
            openingTokens: 4,
            maximumTokens: 8,
            encoding: byteEncoding(scheme)
        )
        #expect(prompts == [Prompt("some", tokens: bytes("some"))])
        #expect(scheme.longest.withLock { $0 } < 200)
    }

    @Test func readsPromptFilesAndTexts() throws {
        let content = #"{"prompt":"a"}"# + "\n" + #"{"text":"b c","id":1}"# + "\n" + #"{"text":""}"#
        let (prompts, report) = try withFile(Array(content.utf8), name: "p.jsonl") { try loadPromptTexts($0) }
        #expect(prompts == [.whole("a"), .opening(of: "b c")] && report.empty == 1)
        #expect(throws: Failure.self) { try withFile(Array(content.utf8), name: "p.jsonl") { try loadTexts($0) } }
    }

    @Test func holdsPromptsOutWhateverTheirOrder() throws {
        let prompts = (0..<50).map { Prompt(Conversation("prompt \($0)"), tokens: [Int32($0)]) }
        let (training, heldOut) = try splitPrompts(prompts, heldOut: 20, seed: 3)
        #expect(training.count == 30 && heldOut.count == 20)
        #expect(Set(training.map(\.text)).isDisjoint(with: heldOut.map(\.text)))
        #expect(try splitPrompts(prompts.reversed(), heldOut: 20, seed: 3).heldOut == heldOut)
        #expect(try splitPrompts(prompts, heldOut: 20, seed: 4).heldOut != heldOut)
        #expect(throws: Failure.self) { try splitPrompts(prompts, heldOut: 50, seed: 3) }
    }
}
