package import Failures

/// What a simulated user likes: a true utility of responses, which training never sees.
package enum Taste: Sendable {
    /// A taste in a mix, with its scale on the reference's samples.
    package struct Component: Sendable {
        /// What is liked.
        package var taste: Taste
        /// How much it counts; below 0 it is disliked.
        package var weight: Double
        /// Mean of its utility.
        package var mean: Double
        /// Standard deviation of its utility within prompts.
        package var deviation: Double

        /// States a component; one without a scale is not standardized yet.
        package init(_ taste: Taste, weight: Double, mean: Double = 0, deviation: Double = 1) {
            self.taste = taste
            self.weight = weight
            self.mean = mean
            self.deviation = deviation
        }
    }

    /// The score of a linear model over prompt and response.
    case linearNgram(LinearNgramScorer)
    /// Fewer tokens are better: the utility is minus the number of response tokens.
    case length
    /// Positive minus negative words of the embedded corpus, over prompt and response.
    case sentiment
    /// The share of the response's sentences in the first person, drawn toward the embedded corpus's.
    case voice
    /// The share of the response's sentences that name a time or a place, drawn toward the embedded corpus's.
    case setting
    /// Shorter words are better: minus the mean number of letters of the response's words.
    case wordLength
    /// How many of the response's words are among these lower-cased ones, as a share.
    case words(Set<String>)
    /// The weighted sum of standardized tastes.
    case mix([Component])

    /// The names of the tastes that need no file.
    package static let names = ["length", "sentiment", "voice", "setting", "word-length", "words", "mix"]

    /// The taste of a configuration: one of `names` but `mix`, or the path of a linear n-gram scorer.
    ///
    /// - Parameters:
    ///   - strongest: how many of the scorer's n-grams to keep; 0 keeps all.
    ///   - words: what the taste `words` counts.
    /// - Throws: `Failure` where the scorer cannot be read.
    package init(_ name: String, strongest: Int = 0, words: [String] = []) throws(Failure) {
        switch name {
        case "length": self = .length
        case "sentiment": self = .sentiment
        case "voice": self = .voice
        case "setting": self = .setting
        case "word-length": self = .wordLength
        case "words": self = .words(Set(words.flatMap(lowercasedWords)))
        default: self = .linearNgram(try LinearNgramScorer(contentsOfFile: name, strongest: strongest))
        }
    }

    /// The utility of a response.
    ///
    /// - Parameter tokens: the response's tokens as sampled, its end-of-text included.
    package func utility(prompt: String, response: String, tokens: Int) -> Double {
        switch self {
        case .linearNgram(let scorer): scorer.score(prompt + response)
        case .length: -Double(tokens)
        case .sentiment: Double(lexiconBalance(prompt + response))
        case .voice: excessOfSentences(with: CorpusWords.firstPerson, in: response, expected: 0.34)
        case .setting: excessOfSentences(with: CorpusWords.timesAndPlaces, in: response, expected: 0.19)
        case .wordLength: -meanLetters(of: response)
        case .words(let wanted): share(of: wanted, in: response)
        case .mix(let components):
            components.reduce(0) { sum, component in
                let utility = component.taste.utility(prompt: prompt, response: response, tokens: tokens)
                return sum + component.weight * (utility - component.mean) / component.deviation
            }
        }
    }
}

/// Whether a word of a configuration can occur in a text: letters and apostrophes only.
package func isCountableWord(_ word: String) -> Bool { lowercasedWords(word) == [word.lowercased()] }
