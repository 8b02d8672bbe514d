import Preferences
import Testing
import Text

@testable import Runs

@Suite struct HeldOutJudgesTests {
    /// Users who compared responses to numbered prompts.
    func users(_ prompts: [[Int]]) throws -> [User<TokenizedComparison>] {
        let tokenizer = try BytePairTrainer(vocabularySize: 300).train(on: ["prompt 0 1 2 3 4 5 6 7 8 9 yes no"])
        let encoding = try ChatEncoding(tokenizer, ChatTemplate.none, endOfText: tokenizer.endOfText)
        let users = prompts.enumerated().map { index, own in
            User(
                id: "u\(index)",
                comparisons: own.map {
                    Comparison(prompt: Conversation("prompt \($0)"), chosen: " yes", rejected: " no")
                }
            )
        }
        return try tokenize(
            users,
            TokenizationOptions(maximumLength: 64, vocabularySize: tokenizer.vocabularySize),
            encoding: encoding
        ).users
    }

    /// No prompt is on both sides, whoever compared; none is lost; the order of users is no matter.
    @Test func promptsAreOnOneSide() throws {
        let all = try users((0..<20).map { user in (0..<40).map { (user * 7 + $0) % 60 } })
        let (trained, judging) = splitForJudges(all, fraction: 0.5, seed: 3)
        let (ours, theirs) = (
            Set(trained.flatMap { $0.comparisons.map(\.promptHash) }),
            Set(judging.flatMap { $0.comparisons.map(\.promptHash) })
        )
        #expect(ours.isDisjoint(with: theirs) && ours.count + theirs.count == 60)
        #expect((20...40).contains(theirs.count))
        let total = trained.reduce(0) { $0 + $1.comparisons.count } + judging.reduce(0) { $0 + $1.comparisons.count }
        #expect(total == 20 * 40)
        let reversed = splitForJudges(all.reversed(), fraction: 0.5, seed: 3)
        #expect(Set(reversed.judging.flatMap { $0.comparisons.map(\.promptHash) }) == theirs)
        let other = splitForJudges(all, fraction: 0.5, seed: 4)
        #expect(Set(other.judging.flatMap { $0.comparisons.map(\.promptHash) }) != theirs)
    }

    @Test func withoutAFractionAllIsTrainedOn() throws {
        let all = try users([[1, 2], [3]])
        let (trained, judging) = splitForJudges(all, fraction: 0, seed: 3)
        #expect(trained.map(\.comparisons.count) == [2, 1] && judging.isEmpty)
    }

    /// Who has comparisons of the judges' prompts alone has no group, and so trains no judge.
    @Test func usersWithoutTrainingAreLeftOut() throws {
        let all = try users([Array(0..<40)] + (0..<40).map { [$0] })
        let (trained, judging) = splitForJudges(all, fraction: 0.5, seed: 3)
        #expect(judging.map(\.id) == ["u0"])
        #expect(trained.count == 1 + trained[0].comparisons.count)
    }

    @Test func aJudgeNeedsItsComparisons() {
        #expect(
            problems("{ run: { stages: [evaluate] }, evaluate: { judges: [held-out] } }") == [
                "evaluate.judges: held-out needs comparisons that no other reward model sees; set "
                    + "reward.judge_fraction, as 0.5"
            ]
        )
        #expect(
            problems(
                "{ run: { stages: [evaluate] }, reward: { judge_fraction: 0.5 }, evaluate: { judges: [held-out] } }"
            ).isEmpty
        )
    }
}
