import Failures
import Foundation

/// Longest wait that is doubled up to, and longest that a `Retry-After` is heeded, in seconds.
private let longestBackoff = 60.0
private let longestRetryAfter = 600.0

/// How often the client looks up from its work, in seconds.
private let pulseSeconds = 1.0

/// Asks an endpoint many things, a few at a time, and again where that failed.
///
/// One thread does all: it sends what may be sent, and waits for the next reply, the end of a wait, or a request's time
/// limit, whichever comes first.
struct ChatClient {
    let endpoint: ChatEndpoint
    let transport: any HTTPTransport
    /// The key, which no message may show.
    let key: String?
    /// Requests sent so far, and how many of them were repetitions after a failure.
    private(set) var sent = 0
    private(set) var repeated = 0

    init(endpoint: ChatEndpoint, transport: any HTTPTransport, key: String?) {
        self.endpoint = endpoint
        self.transport = transport
        self.key = key
    }

    /// What becomes of a question after a reply.
    enum Reaction {
        case done
        /// Another body is to be sent.
        case ask([UInt8])
    }

    private struct Waiting {
        let question: Int
        var body: [UInt8]
        var failures = 0
        var earliest = 0.0
    }

    /// Sends each body until `react` is done with its question, or `giveUp` was told why it failed for good.
    ///
    /// A failure that a later try may mend (no connection, no answer in time, 408, 409, 425, 429, 5xx, or a reply that
    /// is no chat completion) is tried again, not before its `Retry-After`. `pulse` is called about once a second.
    ///
    /// - Throws: `Failure` where the endpoint refuses the request itself, as for a wrong key, and what the closures
    ///   throw.
    mutating func ask(
        _ bodies: [[UInt8]],
        react: (Int, ChatReply) throws -> Reaction,
        giveUp: (Int, String) throws -> Void,
        pulse: () throws -> Void
    ) throws {
        // The last is sent first.
        var waiting = bodies.enumerated().reversed().map { Waiting(question: $0, body: $1) }
        var underWay: [Int: (waiting: Waiting, deadline: Double)] = [:]
        var pausedUntil = 0.0
        var nextPulse = transport.now
        while !waiting.isEmpty || !underWay.isEmpty {
            if transport.now >= nextPulse {
                try pulse()
                nextPulse = transport.now + pulseSeconds
            }
            let now = transport.now
            while underWay.count < endpoint.concurrency, now >= pausedUntil,
                let index = waiting.lastIndex(where: { $0.earliest <= now })
            {
                let next = waiting.remove(at: index)
                sent += 1
                underWay[sent] = (next, now + endpoint.timeout)
                transport.post(next.body, id: sent)
            }
            var outcome = transport.take(within: wait(underWay.values.map(\.deadline), waiting, pausedUntil, nextPulse))
            // Of several that are late the first that was sent.
            if outcome == nil, let late = underWay.filter({ $0.value.deadline <= transport.now }).keys.min() {
                transport.cancel(id: late)
                outcome = (late, .failure("no answer within \(Int(endpoint.timeout.rounded(.up))) s"))
            }
            guard let (id, outcome) = outcome, var own = underWay.removeValue(forKey: id)?.waiting else { continue }
            switch try sorted(outcome) {
            case .success(let reply):
                own.failures = 0
                own.earliest = 0
                if case .ask(let body) = try react(own.question, reply) {
                    own.body = body
                    waiting.append(own)
                }
            case .failure(let setback):
                own.failures += 1
                guard own.failures <= endpoint.retries else {
                    try giveUp(own.question, setback.reason)
                    continue
                }
                repeated += 1
                let doubled = endpoint.backoff * pow(2, Double(min(own.failures, 32) - 1))
                // Spread, so that what failed together does not come back together.
                let backoff = min(doubled, longestBackoff) * Double.random(in: 0.75...1.25)
                own.earliest = transport.now + max(backoff, setback.retryAfter ?? 0)
                if let retryAfter = setback.retryAfter { pausedUntil = max(pausedUntil, transport.now + retryAfter) }
                waiting.append(own)
            }
        }
    }

    /// How long nothing can happen but a reply.
    private func wait(_ deadlines: [Double], _ waiting: [Waiting], _ pausedUntil: Double, _ nextPulse: Double) -> Double
    {
        let hasRoom = deadlines.count < endpoint.concurrency
        let starts = hasRoom ? waiting.map { max($0.earliest, pausedUntil) } : []
        return max(0, min((deadlines + starts).min() ?? 0, nextPulse) - transport.now)
    }

    /// A failure that a later try may mend.
    private struct Setback: Error {
        let reason: String
        var retryAfter: Double?
    }

    /// A reply, a failure that a later try may mend, or thrown one that it cannot.
    private func sorted(_ outcome: HTTPOutcome) throws(Failure) -> Result<ChatReply, Setback> {
        switch outcome {
        case .failure(let reason): return .failure(Setback(reason: reason))
        case .reply(let status, let retryAfter, let body):
            if (200...299).contains(status) {
                return ChatReply(body: body).map { .success($0) }
                    ?? .failure(Setback(reason: "its reply is no chat completion: \(errorText(of: body, hiding: key))"))
            }
            let reason = "HTTP \(status): \(errorText(of: body, hiding: key))"
            guard [408, 409, 425, 429].contains(status) || status >= 500 else {
                throw Failure(.inputOutput, "\(reason)\(remedy(of: status))", at: endpoint.completions)
            }
            let seconds = retryAfter.flatMap { retrySeconds($0, at: Date()) }
            return .failure(Setback(reason: reason, retryAfter: seconds.map { min($0, longestRetryAfter) }))
        }
    }

    private func remedy(of status: Int) -> String {
        switch status {
        case 401, 403:
            endpoint.keyVariable.map { "; is the key in \($0) right?" } ?? "; name the variable of a key: key_variable"
        case 404: "; are url and model right?"
        case 300...399: "; the address redirects, give the one that it leads to"
        default: ""
        }
    }
}

/// The seconds that a `Retry-After` asks for: a number, or the time until a date (RFC 9110, 10.2.3); nil where it is
/// neither.
func retrySeconds(_ header: String, at now: Date) -> Double? {
    if let seconds = Double(header) { return seconds.isFinite && seconds >= 0 ? seconds : nil }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "GMT")
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return format.date(from: header).map { max(0, $0.timeIntervalSince(now)) }
}
