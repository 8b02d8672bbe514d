package import Text

/// A response to a prompt.
package struct Response: Hashable, Sendable, ExpressibleByStringLiteral {
    /// What it says.
    package var text: String
    /// Whether it ends where its writer ended it; false where sampling was cut short, so that no end-of-text follows.
    package var isComplete: Bool

    /// States a response; it is complete unless said otherwise.
    package init(_ text: String, isComplete: Bool = true) {
        self.text = text
        self.isComplete = isComplete
    }

    /// A complete response.
    package init(stringLiteral text: String) { self.init(text) }
}

/// An ordered choice of one user: responses to one prompt, of which the first `ranked` are in order, best first, and
/// the others below them, in no order.
///
/// A pair is two responses of which one is ranked, a choice is n of which one is, a whole ranking n of which n − 1 are.
package struct Comparison: Hashable, Sendable {
    /// What the responses answer or continue.
    package var prompt: Conversation
    /// Two or more, the ranked ones first.
    package var responses: [Response]
    /// How many are ranked: 1 ..< the count of responses.
    package var ranked: Int
    /// How much it counts: 1, or a part of 1 where a tie is told as several orders.
    package var weight: Double

    /// States an ordered choice.
    package init(prompt: Conversation, responses: [Response], ranked: Int, weight: Double = 1) {
        precondition(1..<responses.count ~= ranked, "\(ranked) of \(responses.count) responses are ranked")
        self.prompt = prompt
        self.responses = responses
        self.ranked = ranked
        self.weight = weight
    }

    /// States a pair: the response that the user preferred, and the other.
    package init(prompt: Conversation, chosen: Response, rejected: Response) {
        self.init(prompt: prompt, responses: [chosen, rejected], ranked: 1)
    }

    /// The best response.
    package var chosen: Response { responses[0] }
    /// The last response: of a pair, the one that was not chosen.
    package var rejected: Response { responses[responses.count - 1] }
}
