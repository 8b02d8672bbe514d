@testable import Judging

/// An endpoint in memory, whose clock jumps to whatever is waited for.
final class FakeTransport: HTTPTransport {
    /// What it answers to the n-th request, and how many seconds that takes; nil: nothing, ever.
    var answer: (_ request: Int, _ body: String) -> (HTTPOutcome, Double)?
    private(set) var now = 0.0
    /// When each request was sent.
    private(set) var sent: [Double] = []
    private(set) var cancelled: [Int] = []
    private(set) var mostUnderWay = 0
    private var underWay: [(id: Int, at: Double, outcome: HTTPOutcome)] = []
    private var silent: Set<Int> = []

    init(_ answer: @escaping (_ request: Int, _ body: String) -> (HTTPOutcome, Double)?) { self.answer = answer }

    func post(_ body: [UInt8], id: Int) {
        sent.append(now)
        if let (outcome, seconds) = answer(sent.count - 1, String(decoding: body, as: UTF8.self)) {
            underWay.append((id, now + seconds, outcome))
        } else {
            silent.insert(id)
        }
        mostUnderWay = max(mostUnderWay, underWay.count + silent.count)
    }

    func cancel(id: Int) {
        cancelled.append(id)
        silent.remove(id)
        underWay.removeAll { $0.id == id }
    }

    func take(within seconds: Double) -> (id: Int, outcome: HTTPOutcome)? {
        let next = underWay.indices.min { underWay[$0].at < underWay[$1].at }
        guard let next, underWay[next].at <= now + seconds else {
            now += seconds
            return nil
        }
        let due = underWay.remove(at: next)
        now = max(now, due.at)
        return (due.id, due.outcome)
    }
}

/// A chat completion.
func completion(_ answer: String, promptTokens: Int = 100, completionTokens: Int = 1) -> HTTPOutcome {
    let body = """
        {"choices": [{"message": {"role": "assistant", "content": "\(answer)"}}], \
        "usage": {"prompt_tokens": \(promptTokens), "completion_tokens": \(completionTokens)}}
        """
    return .reply(status: 200, retryAfter: nil, body: Array(body.utf8))
}

/// A refusal.
func refusal(_ status: Int, _ text: String = "no", retryAfter: String? = nil) -> HTTPOutcome {
    .reply(status: status, retryAfter: retryAfter, body: Array(#"{"error": {"message": "\#(text)"}}"#.utf8))
}
