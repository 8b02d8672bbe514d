/// What came back for a request: a status with what belongs to it, or why there is none.
enum HTTPOutcome: Sendable, Equatable {
    /// - retryAfter: the header of that name.
    case reply(status: Int, retryAfter: String?, body: [UInt8])
    case failure(String)
}

/// Sends requests; a test puts its own in the place of the network.
protocol HTTPTransport: AnyObject {
    /// Sends a body and returns at once; what comes of it is handed to `take(within:)`.
    ///
    /// - Parameter id: a number that no other request has.
    func post(_ body: [UInt8], id: Int)

    /// Forgets a request; nothing of it is handed over later, or the caller ignores it.
    func cancel(id: Int)

    /// Waits for the next outcome; nil where none comes within so many seconds.
    func take(within seconds: Double) -> (id: Int, outcome: HTTPOutcome)?

    /// Seconds since any moment, never running backwards.
    var now: Double { get }
}
