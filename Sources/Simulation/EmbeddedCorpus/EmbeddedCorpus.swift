package import Failures
import Foundation
import Preferences
import Randomness

/// The quickstart's own text: short reviews of films and things, half of them positive, of one to five sentences, with
/// sentiment and length drawn independently.
package enum EmbeddedCorpus {
    /// How often a sentence after the first takes no side.
    private static let neutralShare = 0.3
    /// How often a judging sentence after the first contradicts the review, as people do.
    private static let contradictingShare = 0.15

    /// Most prompts of one side; the grammar has several times as many openings.
    package static let maximumPrompts = 10_000

    /// Writes reviews; review i depends on the seed and i alone.
    package static func documents(count: Int, seed: UInt64) -> [String] {
        (0..<count).map { index in review(seed: seed, index: index).text }
    }

    /// Distinct openings whose judgement is still open, as `The kettle was`.
    ///
    /// Held-out openings are never among the others: a hash of its text decides an opening's side, one in four held
    /// out.
    ///
    /// - Throws: `Failure(.configuration)` for more than `maximumPrompts`.
    package static func prompts(count: Int, seed: UInt64, heldOut: Bool) throws(Failure) -> [String] {
        guard count <= maximumPrompts else {
            let message = "the embedded corpus gives at most \(maximumPrompts) prompts, not \(count)"
            throw Failure(.configuration, "\(message); ask for fewer", at: "data.prompts")
        }
        var prompts: [String] = []
        var seen: Set<String> = []
        var index = 0
        while prompts.count < count {
            var writer = ReviewWriter(
                random: CounterRandom(seed: seed, purpose: .prompts, item: index),
                isPositive: true
            )
            let opening = writer.opening().text
            index += 1
            if (stableHash(opening) % 4 == 0) == heldOut, seen.insert(opening).inserted { prompts.append(opening) }
        }
        return prompts
    }

    /// A review and how it was drawn.
    struct Review {
        let text: String
        let isPositive: Bool
        let sentences: Int
        /// Words of the opening, which a prompt would have.
        let openingWords: Int
    }

    static func review(seed: UInt64, index: Int) -> Review {
        var random = CounterRandom(seed: seed, purpose: .corpus, item: index)
        let isPositive = random.uniform() < 0.5
        let count = 1 + Int(random.uniform() * 5)
        var writer = ReviewWriter(random: random, isPositive: isPositive)
        let opening = writer.opening()
        var sentences = ["\(opening.text) \(writer.expand(opening.continuation))"]
        while sentences.count < count {
            writer.isPositive = isPositive
            if sentences.count == count - 1, writer.happens(0.5) {
                sentences.append(sentence(writer.expand("closing")))
            } else if writer.happens(neutralShare) {
                sentences.append(sentence(writer.expand("neutralSentence")))
            } else {
                if writer.happens(contradictingShare) { writer.isPositive.toggle() }
                sentences.append(sentence(writer.expand("judgingSentence")))
            }
        }
        // The first sentence's `a` and `an` are settled over opening and continuation together.
        sentences[0] = sentence(sentences[0])
        return Review(
            text: sentences.joined(separator: " "),
            isPositive: isPositive,
            sentences: count,
            openingWords: opening.text.split(separator: " ").count
        )
    }
}

/// Expands the grammar for one review.
private struct ReviewWriter {
    private var random: CounterRandom
    /// The side that judging words take.
    var isPositive: Bool
    private let subject: Subject
    private let kind: String

    init(random: CounterRandom, isPositive: Bool) {
        self.random = random
        self.isPositive = isPositive
        subject = self.random.uniform() < 0.5 ? .film : .product
        kind = pick(ReviewGrammar.kinds[subject] ?? [], &self.random)
    }

    mutating func happens(_ probability: Double) -> Bool {
        random.uniform() < probability
    }

    mutating func opening() -> (text: String, continuation: String) {
        let opening = pick(ReviewGrammar.openings[subject] ?? [], &random)
        return (sentence(expand(opening.template)), opening.continuation)
    }

    mutating func expand(_ symbol: String) -> String {
        switch symbol {
        case "kind": return kind
        case "part": return expand(subject == .film ? "filmPart" : "productPart")
        case "product": return pick(CorpusWords.products, &random)
        case "judgingSentence": return expand(pick(ReviewGrammar.judgingSentences[subject] ?? [], &random))
        case "neutralSentence": return expand(pick(ReviewGrammar.neutralSentences[subject] ?? [], &random))
        default: break
        }
        if let lists = ReviewGrammar.judging[symbol] { return pickByRank(isPositive ? lists.good : lists.bad, &random) }
        if let words = ReviewGrammar.words[symbol] { return pick(words, &random) }
        guard let templates = ReviewGrammar.shared[symbol] else { preconditionFailure("unknown symbol {\(symbol)}") }
        return expand(pick(templates, &random))
    }

    private mutating func expand(_ template: Template) -> String {
        var text = ""
        for piece in template.pieces {
            switch piece {
            case .literal(let literal): text += literal
            case .slot(let symbol): text += expand(symbol)
            }
        }
        return text
    }
}

private func pick<Element>(_ choices: [Element], _ random: inout CounterRandom) -> Element {
    choices[Int(random.uniform() * Double(choices.count))]
}

/// Zipf's law, as words are used: a place early in the list is taken in proportion to about 1/(place + 1).
///
/// A small model sees the common judging words often enough to learn within a minute which side they take.
private func pickByRank(_ words: [String], _ random: inout CounterRandom) -> String {
    // P(place) = log((place + 2)/(place + 1)) / log(count + 1).
    let place = Int(pow(Double(words.count + 1), random.uniform())) - 1
    return words[min(place, words.count - 1)]
}
