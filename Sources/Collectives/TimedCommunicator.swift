import Foundation

/// Where a rank's time goes in collectives, in seconds, and what it handed to them.
package struct CollectiveTimes: Equatable, Sendable {
    /// Until the last rank had come to the collective: imbalance.
    package var waiting = 0.0
    /// In the collective itself, from when all ranks had come: communication.
    package var exchanging = 0.0
    /// Bytes of the buffers that this rank handed over.
    package var bytes = 0
    /// Collectives.
    package var calls = 0
    /// No time.
    package init() {}
}

/// Times another communicator's collectives, of the thread that made it: on another one they hide behind its computing,
/// and only their bytes count.
///
/// A barrier before each separates waiting for the slowest rank from the exchange itself; it costs a collective the
/// latency of the barrier, so a step is timed as a whole without this decorator, and split up with it.
package final class TimedCommunicator: Communicator {
    /// The sums since the last `reset`.
    package private(set) var times = CollectiveTimes()
    private let inner: any Communicator
    private let thread = Thread.current

    /// Times the collectives of `inner`.
    package init(_ inner: any Communicator) {
        self.inner = inner
    }

    /// Starts anew.
    package func reset() {
        times = CollectiveTimes()
    }

    /// That of the timed communicator.
    package var rank: Int { inner.rank }
    /// That of the timed communicator.
    package var size: Int { inner.size }
    /// The inner communicator's.
    package var transport: String { inner.transport }

    /// Timed.
    package func allReduceSum(_ values: inout MutableSpan<Float>) throws {
        let start = try arrive(bytes: values.count * MemoryLayout<Float>.stride)
        try inner.allReduceSum(&values)
        leave(start)
    }

    /// Timed.
    package func allReduceSum(_ values: inout [Double]) throws {
        let start = try arrive(bytes: values.count * MemoryLayout<Double>.stride)
        try inner.allReduceSum(&values)
        leave(start)
    }

    /// Timed.
    package func allReduceMax(_ values: inout [Double]) throws {
        let start = try arrive(bytes: values.count * MemoryLayout<Double>.stride)
        try inner.allReduceMax(&values)
        leave(start)
    }

    /// Timed.
    package func broadcast(_ values: inout MutableSpan<Float>) throws {
        let start = try arrive(bytes: values.count * MemoryLayout<Float>.stride)
        try inner.broadcast(&values)
        leave(start)
    }

    /// Timed.
    package func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
        let start = try arrive(bytes: bytes.count)
        let result = try inner.broadcast(bytes)
        leave(start)
        return result
    }

    /// Timed; what this rank sends to others counts.
    package func allToAllV(
        _ outgoing: Span<Float>,
        _ sends: [Range<Int>],
        into incoming: inout MutableSpan<Float>,
        _ receives: [Range<Int>]
    ) throws {
        let sent = sends.enumerated().reduce(0) { $0 + ($1.offset == rank ? 0 : $1.element.count) }
        let start = try arrive(bytes: sent * MemoryLayout<Float>.stride)
        try inner.allToAllV(outgoing, sends, into: &incoming, receives)
        leave(start)
    }

    /// Timed.
    package func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let start = try arrive(bytes: bytes.count)
        let result = try inner.allGather(bytes)
        leave(start)
        return result
    }

    /// Timed: all of it is waiting.
    package func barrier() throws {
        leave(try arrive(bytes: 0))
    }

    /// Tells the inner communicator.
    @discardableResult
    package func enter(_ phase: Phase, step: Int) throws -> Spoiling? { try inner.enter(phase, step: step) }
    /// Ends every rank.
    package func abort(code: Int32) -> Never { inner.abort(code: code) }

    /// Waits for the other ranks; gives the time at which all had come.
    private func arrive(bytes: Int) throws -> ContinuousClock.Instant {
        let start = ContinuousClock.now
        try inner.barrier()
        let together = ContinuousClock.now
        if Thread.current == thread { times.waiting += (together - start) / .seconds(1) }
        times.bytes += bytes
        times.calls += 1
        return together
    }

    private func leave(_ start: ContinuousClock.Instant) {
        if Thread.current == thread { times.exchanging += (ContinuousClock.now - start) / .seconds(1) }
    }
}
