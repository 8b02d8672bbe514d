package import Failures

/// What a simulated user likes: a true utility of responses, which training never sees.
package enum Taste: Sendable {
    /// The score of a linear model over prompt and response.
    case linearNgram(LinearNgramScorer)
    /// Fewer tokens are better: the utility is minus the number of response tokens.
    case length
    /// Positive minus negative words of the embedded corpus, over prompt and response.
    case sentiment

    /// The taste of a configuration: `length`, `sentiment`, or the path of a linear n-gram scorer.
    ///
    /// - Parameter strongest: how many of the scorer's n-grams to keep; 0 keeps all.
    /// - Throws: `Failure` where the scorer cannot be read.
    package init(_ name: String, strongest: Int = 0) throws(Failure) {
        switch name {
        case "length": self = .length
        case "sentiment": self = .sentiment
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
        }
    }
}

private let goodWords = Set(CorpusWords.good)
private let badWords = Set(CorpusWords.bad)

private func lexiconBalance(_ text: String) -> Int {
    lowercasedWords(text).reduce(0) { $0 + (goodWords.contains($1) ? 1 : 0) - (badWords.contains($1) ? 1 : 0) }
}
