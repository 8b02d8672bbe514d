import Foundation

/// What a judge decided, and what that took.
package struct PairDecisions {
    /// Of each question how much the first response won: 1 or 0 where both orders say so, else ½.
    package let wins: [Double]
    /// Pairs of which the orders say opposite things: the judge goes by the place, not by the response.
    package let contradicted: Int
    /// Pairs that were decided, equal responses left out.
    package let pairs: Int
    package let usage: JudgeUsage

    /// - Parameters:
    ///   - asked: what was asked, with the responses in both orders.
    ///   - verdicts: of each of these; nil: none came.
    init(
        _ questions: [PreferenceQuestion],
        asked: [PreferenceQuestion],
        verdicts: [Verdict?],
        usage: JudgeUsage
    ) {
        let answers = Dictionary(zip(asked, verdicts), uniquingKeysWith: { first, _ in first })
        /// Both orders' wins of the first response; nil where one has no verdict.
        func orders(_ question: PreferenceQuestion) -> (Double, Double)? {
            guard let one = answers[question] ?? nil, let other = answers[question.swapped] ?? nil else { return nil }
            return (one.win, 1 - other.win)
        }
        wins = questions.map { question in
            guard question.first != question.second, let (one, other) = orders(question) else { return 0.5 }
            return one == other ? one : 0.5
        }
        // Every pair is in there in both orders.
        let both = asked.compactMap(orders)
        pairs = both.count / 2
        contradicted = both.count { abs($0.0 - $0.1) == 1 } / 2
        self.usage = usage
    }
}

/// What asking took.
package struct JudgeUsage: Equatable, Sendable {
    /// Requests sent, repeated ones included.
    package var requests = 0
    /// Requests sent again after a failure.
    package var repeated = 0
    /// Answers that were there before.
    package var cached = 0
    /// Questions without an answer; they count as ties.
    package var unanswered = 0
    /// Tokens of requests and of answers, as the endpoint counts them.
    package var promptTokens = 0
    package var completionTokens = 0

    /// What the tokens cost; nil without prices.
    package func cost(by endpoint: ChatEndpoint) -> Double? {
        guard endpoint.promptPrice != nil || endpoint.completionPrice != nil else { return nil }
        return
            (Double(promptTokens) * (endpoint.promptPrice ?? 0)
            + Double(completionTokens) * (endpoint.completionPrice ?? 0)) / 1e6
    }
}

extension PairDecisions {
    /// What speaks against the decisions.
    package var warnings: [String] {
        var warnings: [String] = []
        // A judge that goes by chance contradicts itself on half of the pairs.
        if 4 * contradicted > pairs {
            warnings.append(
                "the language model contradicts itself on \(contradicted) of \(pairs) pairs when the responses change "
                    + "places; these count as ties, and win rates lean to 50 %"
            )
        }
        if usage.unanswered > 0 {
            warnings.append(
                "the language model left \(usage.unanswered) questions without an answer; these pairs count as ties"
            )
        }
        return warnings
    }

    /// For people: requests, tokens and cost, and how far the judge can be trusted.
    package func lines(of endpoint: ChatEndpoint) -> [String] {
        var line =
            "\(usage.requests) requests (\(usage.repeated) repeated), \(usage.cached) answers from the cache, "
            + "\(usage.promptTokens) + \(usage.completionTokens) tokens"
        if let cost = usage.cost(by: endpoint) { line += ", cost \(String(format: "%.4f", cost))" }
        var lines = [line]
        if pairs > 0 { lines.append("both orders contradict each other on \(contradicted) of \(pairs) pairs") }
        return lines
    }
}
