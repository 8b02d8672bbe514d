import Failures
import Foundation

/// Several ranks as threads of one process: the deterministic stand-in for MPI that tests run on.
package enum InProcessGroup {
    /// Runs `body` on `ranks` threads, each with its own communicator, and returns what each returned, in order of
    /// rank.
    ///
    /// A rank that throws ends the collectives of all others, and its error is what this throws (the lowest rank's,
    /// where several failed by themselves). A rank that returns while others still wait in a collective fails them too.
    package static func run<Result: Sendable>(
        ranks: Int,
        _ body: @escaping @Sendable (any Communicator) throws -> Result
    ) throws -> [Result] {
        precondition(ranks >= 1, "a group has at least one rank; this has \(ranks)")
        let exchange = Exchange(size: ranks)
        let outcomes = Outcomes<Result>(size: ranks)
        for rank in 0..<ranks {
            let thread = Thread {
                let communicator = InProcessCommunicator(rank: rank, exchange: exchange)
                let outcome = Swift.Result { try body(communicator) }
                exchange.leave(rank)
                outcomes.set(outcome, of: rank)
            }
            thread.name = "rank \(rank)"
            thread.stackSize = 8 << 20
            thread.start()
        }
        let all = outcomes.wait()
        for outcome in all {
            if case .failure(let error) = outcome, !(error is PeerLeft) { throw error }
        }
        return try all.map { try $0.get() }
    }
}

/// Thrown by a collective of an in-process rank when another rank has already left the group.
package struct PeerLeft: Error, CustomStringConvertible {
    /// The rank that left.
    package let rank: Int
    /// The collective that waited for it.
    package let collective: String
    /// One line.
    package var description: String { "rank \(rank) left the group while others waited in \(collective)" }
}

/// One thread's place in an `InProcessGroup`.
///
/// Sums add the ranks' values in order of rank, in the elements' own type.
private final class InProcessCommunicator: Communicator {
    let rank: Int
    private let exchange: Exchange

    init(rank: Int, exchange: Exchange) {
        self.rank = rank
        self.exchange = exchange
    }

    var size: Int { exchange.size }
    var transport: String { "threads" }

    func allReduceSum(_ values: inout MutableSpan<Float>) throws {
        let mine = values.indices.map { values[$0] }
        let all = try gather(mine, "allReduceSum", count: mine.count)
        for index in mine.indices { values[index] = all[0][index] }
        for other in all.dropFirst() {
            for index in mine.indices { values[index] += other[index] }
        }
    }

    func allReduceSum(_ values: inout [Double]) throws {
        let all = try gather(values, "allReduceSum", count: values.count)
        values = all[0]
        for other in all.dropFirst() {
            for index in values.indices { values[index] += other[index] }
        }
    }

    func allReduceMax(_ values: inout [Double]) throws {
        let all = try gather(values, "allReduceMax", count: values.count)
        for other in all {
            for index in values.indices { values[index] = max(values[index], other[index]) }
        }
    }

    func broadcast(_ values: inout MutableSpan<Float>) throws {
        let mine = rank == 0 ? values.indices.map { values[$0] } : []
        let all = try gather(mine, "broadcast", count: values.count)
        for index in values.indices { values[index] = all[0][index] }
    }

    func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
        try gather(rank == 0 ? bytes : [], "broadcast of bytes", count: 0)[0]
    }

    func allToAllV(
        _ outgoing: Span<Float>,
        _ sends: [Range<Int>],
        into incoming: inout MutableSpan<Float>,
        _ receives: [Range<Int>]
    ) throws {
        let messages = sends.map { range in range.map { outgoing[$0] } }
        let all = try gather(messages, "allToAllV", count: size)
        for (sender, target) in receives.enumerated() {
            let message = all[sender][rank]
            guard message.count == target.count else {
                throw Failure(
                    .internalError,
                    "rank \(rank) awaits \(target.count) numbers of rank \(sender), which sends \(message.count)"
                )
            }
            for (index, value) in zip(target, message) { incoming[index] = value }
        }
    }

    func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
        try gather(bytes, "allGather", count: 0)
    }

    func barrier() throws {
        _ = try gather([UInt8](), "barrier", count: 0)
    }

    func abort(code: Int32) -> Never { exit(code) }

    /// Every rank's elements, in order of rank; all ranks must be in the same collective with the same count.
    private func gather<Element: Sendable>(
        _ elements: [Element],
        _ collective: String,
        count: Int
    ) throws -> [[Element]] {
        let call = "\(collective) of \(count) \(Element.self)"
        return try exchange.gather(Contribution(call: call, elements: elements), rank: rank).map { contribution in
            guard contribution.call == call, let elements = contribution.elements as? [Element] else {
                throw Failure(.internalError, "ranks met in different collectives: \(call), \(contribution.call)")
            }
            return elements
        }
    }
}

/// What one rank brings to a collective.
private struct Contribution: Sendable {
    /// Names the collective, its element type and count, to check that all ranks are in the same one.
    let call: String
    let elements: any Sendable
}

/// Where the ranks of a group meet: a barrier that hands everyone all contributions.
///
/// `@unchecked Sendable`: all mutable state is touched only while `condition` is locked.
private final class Exchange: @unchecked Sendable {
    let size: Int
    private let condition = NSCondition()
    private var arrived: [Contribution?]
    private var complete: [Contribution] = []
    private var round = 0
    private var firstToLeave: Int?

    init(size: Int) {
        self.size = size
        arrived = Array(repeating: nil, count: size)
    }

    func gather(_ contribution: Contribution, rank: Int) throws -> [Contribution] {
        condition.lock()
        defer { condition.unlock() }
        let myRound = round
        arrived[rank] = contribution
        let all = arrived.compactMap { $0 }
        if all.count == size {
            // No rank can complete a later round before all have read this one: the next needs all of them again.
            complete = all
            arrived = Array(repeating: nil, count: size)
            round += 1
            condition.broadcast()
            return complete
        }
        while round == myRound {
            if let left = firstToLeave { throw PeerLeft(rank: left, collective: contribution.call) }
            condition.wait()
        }
        return complete
    }

    func leave(_ rank: Int) {
        condition.lock()
        defer { condition.unlock() }
        firstToLeave = firstToLeave ?? rank
        condition.broadcast()
    }
}

/// What the ranks returned or threw.
///
/// `@unchecked Sendable`: all mutable state is touched only while `condition` is locked.
private final class Outcomes<Success: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var outcomes: [Result<Success, any Error>?]

    init(size: Int) { outcomes = Array(repeating: nil, count: size) }

    func set(_ outcome: Result<Success, any Error>, of rank: Int) {
        condition.lock()
        defer { condition.unlock() }
        outcomes[rank] = outcome
        condition.broadcast()
    }

    /// Waits for every rank.
    func wait() -> [Result<Success, any Error>] {
        condition.lock()
        defer { condition.unlock() }
        while outcomes.contains(where: { $0 == nil }) { condition.wait() }
        return outcomes.compactMap { $0 }
    }
}
