import Failures
import Foundation
import StrictJSON

/// An answer that cannot be read is asked for again this often.
private let repeatedQuestions = 2

/// A language model that says which of two responses a group would prefer, each pair asked in both orders.
package final class PairJudge {
    private let endpoint: ChatEndpoint
    private let key: String?
    private let cache: AnswerCache

    /// - Parameter key: of the endpoint, where it wants one.
    package init(_ endpoint: ChatEndpoint, key: String?, cache: AnswerCache) {
        self.endpoint = endpoint
        self.key = key
        self.cache = cache
    }

    /// The bodies of the requests that questions need and the cache does not answer, as JSON on one line each.
    package func requests(for questions: [PreferenceQuestion]) -> [String] {
        asked(questions).map { $0.body(for: endpoint).encoded() }.filter { cache[name(Array($0.utf8))] == nil }
    }

    /// Decides questions over the network.
    ///
    /// - Parameter pulse: called about once a second with how many answers there are of how many that are needed.
    /// - Throws: `Failure` 74 where the endpoint refuses, is not there, or leaves more without an answer than may be;
    ///   what it did answer is in the cache.
    package func decide(
        _ questions: [PreferenceQuestion],
        pulse: (_ answered: Int, _ total: Int) throws -> Void
    ) throws -> PairDecisions {
        guard let url = URL(string: endpoint.completions) else {
            throw Failure(.configuration, "is no address", at: endpoint.completions)
        }
        let transport = NetworkTransport(url: url, key: key, endpoint: endpoint)
        defer { transport.close() }
        return try decide(questions, over: transport, pulse: pulse)
    }

    /// Decides questions over any transport.
    func decide(
        _ questions: [PreferenceQuestion],
        over transport: any HTTPTransport,
        pulse: (_ answered: Int, _ total: Int) throws -> Void
    ) throws -> PairDecisions {
        let asked = asked(questions)
        let bodies = asked.map { Array($0.body(for: endpoint).encoded().utf8) }
        let names = bodies.map(name)
        var verdicts: [Verdict?] = names.map { cache[$0].flatMap { Verdict($0.answer) } }
        let open = verdicts.indices.filter { verdicts[$0] == nil }
        var usage = JudgeUsage()
        usage.cached = asked.count - open.count
        var attempts = Array(repeating: 0, count: open.count)
        var givenUpInARow = 0
        let mostUnanswered = Int(endpoint.mostUnanswered * Double(asked.count))
        /// Counts a question that stays without an answer.
        func leaveOpen(_ reason: String) throws {
            usage.unanswered += 1
            guard usage.unanswered <= mostUnanswered else {
                throw Failure(
                    .inputOutput,
                    "\(usage.unanswered) of \(asked.count) questions have no answer, the last because of: \(reason); "
                        + "more than \(mostUnanswered) are not taken (max_unanswered \(endpoint.mostUnanswered)). "
                        + "Start again later: answers that came are kept",
                    at: endpoint.completions
                )
            }
        }
        var client = ChatClient(endpoint: endpoint, transport: transport, key: key)
        try client.ask(open.map { bodies[$0] }) { index, reply in
            usage.promptTokens += reply.promptTokens
            usage.completionTokens += reply.completionTokens
            givenUpInARow = 0
            attempts[index] += 1
            if let verdict = Verdict(reply.answer) {
                verdicts[open[index]] = verdict
                try cache.add(reply, to: names[open[index]])
            } else if attempts[index] <= repeatedQuestions {
                let body = asked[open[index]].body(for: endpoint, after: printable(reply.answer, limit: 2000))
                return .ask(Array(body.encoded().utf8))
            } else {
                try leaveOpen("answers that are none, as \(quoted(reply.answer))")
            }
            return .done
        } giveUp: { _, reason in
            givenUpInARow += 1
            guard givenUpInARow < max(3, endpoint.concurrency) else {
                throw Failure(
                    .inputOutput,
                    "does not answer after \(endpoint.retries) retries (\(reason)); start again later: answers that "
                        + "came are kept",
                    at: endpoint.completions
                )
            }
            try leaveOpen(reason)
        } pulse: {
            try pulse(verdicts.count { $0 != nil }, asked.count)
        }
        usage.requests = client.sent
        usage.repeated = client.repeated
        return PairDecisions(questions, asked: asked, verdicts: verdicts, usage: usage)
    }

    /// Each question in both orders, once; of equal responses none needs asking.
    private func asked(_ questions: [PreferenceQuestion]) -> [PreferenceQuestion] {
        var seen: Set<PreferenceQuestion> = []
        return questions.filter { $0.first != $0.second }.flatMap { [$0, $0.swapped] }.filter {
            seen.insert($0).inserted
        }
    }

    private func name(_ body: [UInt8]) -> String { cache.name(of: body, to: endpoint.completions) }
}

private func quoted(_ answer: String) -> String { "\"\(printable(answer, limit: 80))\"" }
