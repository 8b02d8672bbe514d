import Foundation
import Testing

@testable import Simulation

@Suite struct EmbeddedCorpusTests {
    static let reviews = (0..<3000).map { EmbeddedCorpus.review(seed: 1, index: $0) }

    @Test func hasAThousandWordsAndMore() {
        let words = Set(Self.reviews.flatMap { lowercasedWords($0.text) })
        #expect(words.count >= 1000, "\(words.count) distinct words")
    }

    @Test func noWordTakesBothSides() {
        let good = Set(CorpusWords.good)
        let bad = Set(CorpusWords.bad)
        #expect(good.isDisjoint(with: bad))
        #expect(good.count == CorpusWords.good.count && bad.count == CorpusWords.bad.count)
        let neutral = Set(ReviewGrammar.words.values.flatMap { $0 } + ReviewGrammar.kinds.values.flatMap { $0 })
        #expect(neutral.isDisjoint(with: good.union(bad)))
        let templates =
            ReviewGrammar.shared.values.flatMap { $0 } + ReviewGrammar.judgingSentences.values.flatMap { $0 }
            + ReviewGrammar.neutralSentences.values.flatMap { $0 }
            + ReviewGrammar.openings.values.flatMap { $0.map(\.template) }
        for case .literal(let text) in templates.flatMap(\.pieces) {
            #expect(good.union(bad).isDisjoint(with: lowercasedWords(text)), "\(text)")
        }
    }

    @Test func sentimentAndLengthAreIndependent() {
        let lengths = Self.reviews.map { Double($0.text.split(separator: " ").count) }
        let sides = Self.reviews.map { $0.isPositive ? 1.0 : -1.0 }
        let balances = Self.reviews.map { Taste.sentiment.utility(prompt: "", response: $0.text, tokens: 0) }
        // Standard error of a correlation over 3,000 independent draws: 0.018.
        #expect(abs(correlation(sides, lengths)) < 0.06)
        #expect(abs(correlation(balances, lengths)) < 0.06)
        #expect(correlation(balances, sides) > 0.8)
        #expect(abs(sides.reduce(0, +)) < 200)
        for count in 1...5 {
            #expect(abs(Self.reviews.filter { $0.sentences == count }.count - 600) < 100)
        }
    }

    /// Of what follows the opening: that is what a policy writes.
    @Test func attributesAreAboutIndependent() {
        let responses = Self.reviews.map { review in
            review.text.split(separator: " ").dropFirst(review.openingWords).joined(separator: " ")
        }
        let tastes: [Taste] = [.length, .sentiment, .voice, .setting]
        let utilities = tastes.map { taste in
            responses.map { response in
                taste.utility(prompt: "", response: response, tokens: response.split(separator: " ").count)
            }
        }
        for i in tastes.indices {
            for j in 0..<i {
                let found = correlation(utilities[i], utilities[j])
                #expect(abs(found) < 0.15, "\(tastes[i]) and \(tastes[j]): \(found)")
            }
        }
    }

    @Test func sentencesAreWellFormed() {
        for review in Self.reviews {
            let sentences = review.text.split(separator: ".")
            #expect(sentences.count == review.sentences, "\(review.text)")
            #expect(review.text.hasSuffix("."))
            #expect(!review.text.contains("{") && !review.text.contains("  ") && !review.text.contains(" ."))
            for sentence in sentences {
                #expect(sentence.drop { $0 == " " }.first?.isUppercase == true, "\(sentence)")
            }
        }
        #expect(sentence("a awful hour and a useful a one") == "An awful hour and a useful a one")
        #expect(sentence("a honest uncle is a hour late") == "An honest uncle is an hour late")
    }

    @Test func isTheSameForTheSameSeed() {
        let first = EmbeddedCorpus.documents(count: 20, seed: 9)
        #expect(EmbeddedCorpus.documents(count: 30, seed: 9).prefix(20) == first[...])
        #expect(EmbeddedCorpus.documents(count: 20, seed: 10) != first)
        #expect(Set(EmbeddedCorpus.documents(count: 2000, seed: 9)).count > 1950)
        // The very text: a change of the grammar changes the quickstart's figures and must be meant.
        #expect(first[0] == "I bought this helmet for work and I resented it. My grandfather endured the hinge.")
    }

    @Test func openingsAreManyDistinctAndUnjudged() throws {
        let training = try EmbeddedCorpus.prompts(count: 1500, seed: 1, heldOut: false)
        let heldOut = try EmbeddedCorpus.prompts(count: 600, seed: 1, heldOut: true)
        #expect(Set(training).count == 1500 && Set(heldOut).count == 600)
        #expect(Set(training).isDisjoint(with: try EmbeddedCorpus.prompts(count: 600, seed: 2, heldOut: true)))
        for prompt in training + heldOut {
            #expect(Taste.sentiment.utility(prompt: prompt, response: "", tokens: 0) == 0, "\(prompt)")
            #expect(prompt.split(separator: " ").count >= 3)
        }
        #expect(throws: (any Error).self) { try EmbeddedCorpus.prompts(count: 1_000_000, seed: 1, heldOut: true) }
    }
}

/// Pearson's correlation.
func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let n = Double(a.count)
    let meanA = a.reduce(0, +) / n
    let meanB = b.reduce(0, +) / n
    let covariance = zip(a, b).reduce(0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) }
    let varianceA = a.reduce(0) { $0 + ($1 - meanA) * ($1 - meanA) }
    let varianceB = b.reduce(0) { $0 + ($1 - meanB) * ($1 - meanB) }
    return covariance / (varianceA * varianceB).squareRoot()
}
