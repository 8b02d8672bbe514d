import Dispatch
import Foundation
import FoundationNetworking
import Synchronization

/// Replies longer than this are cut off: a chat completion has a few KiB.
private let mostBytes = 4 << 20

/// Requests over the network, by URLSession.
///
/// Redirections are not followed, so that a key goes to no other address than the one given. Bodies and headers are
/// logged nowhere.
final class NetworkTransport: NSObject, HTTPTransport, URLSessionDataDelegate, Sendable {
    /// What the session's thread leaves for the one that asks.
    private struct Inbox {
        var outcomes: [(id: Int, outcome: HTTPOutcome)] = []
        /// What has come of each task so far, by the session's number.
        var bodies: [Int: [UInt8]] = [:]
        /// Of each task, the caller's number.
        var ids: [Int: Int] = [:]
        var tasks: [Int: URLSessionTask] = [:]
        var session: URLSession?
    }

    private let url: URL
    private let key: String?
    private let inbox = Mutex(Inbox())
    private let arrived = DispatchSemaphore(value: 0)

    /// Opens no connection yet.
    ///
    /// - Parameter key: sent as a bearer token.
    init(url: URL, key: String?, endpoint: ChatEndpoint) {
        self.url = url
        self.key = key
        super.init()
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.httpMaximumConnectionsPerHost = endpoint.concurrency
        configuration.timeoutIntervalForRequest = endpoint.timeout
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        inbox.withLock { $0.session = session }
    }

    var now: Double { ProcessInfo.processInfo.systemUptime }

    /// Lets the session go, which holds its delegate till then.
    func close() {
        inbox.withLock {
            $0.session?.invalidateAndCancel()
            $0.session = nil
        }
    }

    func post(_ body: [UInt8], id: Int) {
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.httpBody = Data(body)
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
        let task = inbox.withLock { inbox in
            let task = inbox.session?.dataTask(with: request)
            if let task {
                inbox.ids[task.taskIdentifier] = id
                inbox.tasks[id] = task
            }
            return task
        }
        task?.resume()
    }

    func cancel(id: Int) {
        let task = inbox.withLock { inbox in
            let task = inbox.tasks.removeValue(forKey: id)
            if let task { inbox.ids[task.taskIdentifier] = nil }
            return task
        }
        task?.cancel()
    }

    func take(within seconds: Double) -> (id: Int, outcome: HTTPOutcome)? {
        guard arrived.wait(timeout: .now() + max(0, seconds)) == .success else { return nil }
        return inbox.withLock { $0.outcomes.isEmpty ? nil : $0.outcomes.removeFirst() }
    }

    func urlSession(_: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = inbox.withLock { inbox in
            inbox.bodies[dataTask.taskIdentifier, default: []] += data
            return (inbox.bodies[dataTask.taskIdentifier]?.count ?? 0) > mostBytes
        }
        if isTooLong { dataTask.cancel() }
    }

    func urlSession(
        _: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest _: URLRequest,
        completionHandler _: @escaping (URLRequest?) -> Void
    ) {
        // FoundationNetworking ends the process where the handler is called for a task that was canceled meanwhile. So
        // it is never called: the redirection is the reply, and the task has done its work.
        finish(task, .reply(response, body: []))
        task.cancel()
    }

    func urlSession(_: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let body = inbox.withLock { $0.bodies.removeValue(forKey: task.taskIdentifier) ?? [] }
        if body.count > mostBytes {
            finish(task, .failure("its reply is longer than \(mostBytes >> 20) MiB"))
        } else if let error {
            finish(task, .failure(error.localizedDescription))
        } else if let response = task.response as? HTTPURLResponse {
            finish(task, .reply(response, body: body))
        } else {
            finish(task, .failure("no reply"))
        }
    }

    /// Leaves what came of a task for the one that asks; nothing where that was left before, or nobody waits for it.
    private func finish(_ task: URLSessionTask, _ outcome: HTTPOutcome) {
        let isAwaited = inbox.withLock { inbox in
            guard let id = inbox.ids.removeValue(forKey: task.taskIdentifier) else { return false }
            inbox.tasks[id] = nil
            inbox.outcomes.append((id, outcome))
            return true
        }
        if isAwaited { arrived.signal() }
    }
}

extension HTTPOutcome {
    fileprivate static func reply(_ response: HTTPURLResponse, body: [UInt8]) -> HTTPOutcome {
        .reply(
            status: response.statusCode,
            retryAfter: response.value(forHTTPHeaderField: "Retry-After"),
            body: body
        )
    }
}
