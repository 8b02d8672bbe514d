import LanguageModels
import MaxMinPolicy
import Preferences
import Simulation
import Testing
import Text

@testable import Runs

@Suite struct GoldPolicyTests {
    @Test func goldIsAPrefixOfAllButSingle() {
        #expect(PolicyObjective(rawValue: "gold-maxmin") == PolicyObjective.maxmin.gold)
        #expect(PolicyObjective(rawValue: "gold-maxmin")?.weighting == .maxmin)
        #expect(PolicyObjective(rawValue: "gold-only-1")?.isGold == true)
        for wrong in ["gold-single", "gold-", "gold-gold-maxmin", "gold-only--1", "gold"] {
            #expect(PolicyObjective(rawValue: wrong) == nil, "\(wrong)")
        }
        #expect(PolicyObjective.allCases.allSatisfy { !$0.isGold })
    }

    @Test func goldNeedsSimulatedUsers() {
        #expect(
            problems("{ run: { stages: [policy] }, policy: { objectives: [gold-maxmin] }, data: { preferences: x } }")
                .first?.hasPrefix("policy.objectives: gold-maxmin trains on true tastes") == true
        )
        #expect(problems("{ run: { stages: [policy] }, policy: { objectives: [maxmin, gold-maxmin] } }").isEmpty)
        #expect(
            problems("{ run: { stages: [policy] }, policy: { objectives: [gold-only-2] } }") == [
                "policy.objectives: gold-only-2 names no group; there are gold-only-0, gold-only-1"
            ]
        )
        #expect(
            problems("{ run: { stages: [policy] }, policy: { objectives: [only-0, only-1, gold-regret] } }") == [
                "policy.objectives: gold-regret compares with what each group's own policy reached; put gold-only-0, "
                    + "gold-only-1 before it"
            ]
        )
    }

    /// The reward of a sequence is what the judge `taste` says of the response, whatever is packed beside it.
    @Test func tastesAreTheRewards() throws {
        let tokenizer = try BytePairTrainer(vocabularySize: 300).train(on: ["a wonderful film, a terrible film"])
        let encoding = try ChatEncoding(tokenizer, ChatTemplate.none, endOfText: tokenizer.endOfText)
        let prompts = ["the film", "the"].map { text in
            Prompt(Conversation(text), tokens: tokenizer.encodeSequence(text))
        }
        let responses = [" was wonderful", " was terrible and long", " film was wonderful"]
        let owners = [0, 0, 1]
        let tokens = responses.map { tokenizer.encodeSequence($0) }
        let sequences = PackedSequences(
            zip(owners, tokens).map { prompts[$0].tokens + $1 },
            promptLengths: owners.map { prompts[$0].tokens.count }
        )
        let rewards = try tasteRewards(of: [.length, .sentiment], prompts, encoding)(sequences)
        #expect(rewards[0] == tokens.map { -Float($0.count) })
        for (index, response) in responses.enumerated() {
            let utility = Taste.sentiment.utility(
                prompt: prompts[owners[index]].text,
                response: response,
                tokens: tokens[index].count
            )
            #expect(rewards[1][index] == Float(utility))
        }
        #expect(Set(rewards[1]).count > 1)
    }
}
