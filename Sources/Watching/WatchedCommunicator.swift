package import Collectives
import Failures
import Foundation
import Randomness
import Synchronization

/// Watches over a communicator: numbers and names its collectives, knows the phase that the rank is in, injects the
/// fault that a test asks for, and ends the run where it makes no progress.
///
/// Algorithms see a `Communicator` and know nothing of it. Made by `watching`.
package final class WatchedCommunicator: Communicator {
    private let base: any Communicator
    private let record: RankRecord
    private let watchdog: Watchdog
    private var fault: Fault?
    /// Set by the thread that enters phases, read by the one in collectives, which may be another.
    private let skipsNext = Atomic(false)

    /// `end` is called on the watchdog's thread with the line that tells why the run ends.
    init(_ base: any Communicator, fault: Fault?, end: @escaping @Sendable (String) -> Void) {
        self.base = base
        self.fault = fault?.rank == base.rank ? fault : nil
        record = RankRecord(rank: base.rank)
        watchdog = Watchdog(record, rank: base.rank, size: base.size, end: end)
    }

    /// The base's.
    package var rank: Int { base.rank }
    /// The base's.
    package var size: Int { base.size }
    /// The base's.
    package var transport: String { base.transport }

    /// Goes on with these deadlines, telling the others of this rank in `folder`, which every rank can see; `heartbeat`
    /// is called every five seconds on the watchdog's thread, and `ended` with the line that tells why the watchdog
    /// ends the run, on one rank.
    package func watch(
        _ deadlines: Deadlines,
        reportingTo folder: RankFolder,
        heartbeat: @escaping @Sendable () -> Void = {},
        ended: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        watchdog.adopt(
            Watch(deadlines: deadlines, folder: folder, heartbeat: heartbeat, ended: ended, lag: folder.lag)
        )
    }

    /// Every rank calls it at its end, when no collective follows: the ranks tell no more, and the root removes the
    /// folder.
    package func endWatch(reportingTo folder: RankFolder) throws {
        watchdog.adopt(Watch())
        try barrier()
        if rank == 0 { folder.remove() }
    }

    /// Names the stage of the run that begins.
    package func begin(stage: String) { record.begin(stage: stage) }

    /// The fault that was asked for on this rank and has not come about.
    var pendingFault: Fault? { fault }

    /// Stops watching: this rank takes part in nothing more.
    func leave(tellingOthers: Bool) { watchdog.stop(tellingOthers: tellingOthers) }

    /// Notes the phase, and lets a fault that is asked for happen.
    @discardableResult
    package func enter(_ phase: Phase, step: Int) throws -> Spoiling? {
        record.enter(phase, step: step)
        guard let fault, fault.phase == phase, fault.step == step else { return nil }
        self.fault = nil
        switch fault.action {
        case .kill: kill(getpid(), SIGKILL)
        case .stop: kill(getpid(), SIGSTOP)
        case .exit0: exit(0)
        case .throw: throw Failure(.internalError, fault.message)
        case .nan: return .nan
        case .bitflip: return .bitflip
        case .sleep: Thread.sleep(forTimeInterval: 5)
        case .skipCollective: skipsNext.store(true, ordering: .relaxed)
        }
        return nil
    }

    /// The base's, watched.
    package func allReduceSum(_ values: inout MutableSpan<Float>) throws {
        guard try begins("allReduceSum of \(values.count) floats") else { return }
        try base.allReduceSum(&values)
        record.endCall()
    }

    /// The base's, watched.
    package func allReduceSum(_ values: inout [Double]) throws {
        guard try begins("allReduceSum of \(values.count) doubles") else { return }
        try base.allReduceSum(&values)
        record.endCall()
    }

    /// The base's, watched.
    package func allReduceMax(_ values: inout [Double]) throws {
        guard try begins("allReduceMax of \(values.count) doubles") else { return }
        try base.allReduceMax(&values)
        record.endCall()
    }

    /// The base's, watched.
    package func broadcast(_ values: inout MutableSpan<Float>) throws {
        guard try begins("broadcast of \(values.count) floats") else { return }
        try base.broadcast(&values)
        record.endCall()
    }

    /// The base's, watched.
    package func broadcast(_ bytes: [UInt8]) throws -> [UInt8] {
        // How many only the root knows.
        guard try begins("broadcast of bytes") else { return bytes }
        defer { record.endCall() }
        return try base.broadcast(bytes)
    }

    /// The base's, watched.
    package func allToAllV(
        _ outgoing: Span<Float>,
        _ sends: [Range<Int>],
        into incoming: inout MutableSpan<Float>,
        _ receives: [Range<Int>]
    ) throws {
        // How long the messages are differs between ranks.
        guard try begins("allToAllV of floats") else { return }
        try base.allToAllV(outgoing, sends, into: &incoming, receives)
        record.endCall()
    }

    /// The base's, watched.
    package func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
        guard try begins("allGather of bytes") else { return Array(repeating: bytes, count: size) }
        defer { record.endCall() }
        return try base.allGather(bytes)
    }

    /// The base's, watched.
    package func barrier() throws {
        guard try begins("barrier") else { return }
        try base.barrier()
        record.endCall()
    }

    /// The base's.
    package func abort(code: Int32) -> Never { base.abort(code: code) }

    /// Notes a collective, and makes sure that all ranks call the same one; false where a fault makes this rank skip
    /// it.
    ///
    /// Ranks that met in different collectives would hang, or worse: Open MPI has been seen to write past the end of
    /// the shorter buffer. So they first compare a hash of number and name, in a collective that is the same for all
    /// (about 20 µs).
    private func begins(_ name: String) throws -> Bool {
        if skipsNext.exchange(false, ordering: .relaxed) { return false }
        let number = record.begin(call: name)
        guard size > 1 else { return true }
        let key = Double(fnv1a("\(name) #\(number)".utf8) >> 11)
        var extremes = [key, -key]
        try base.allReduceMax(&extremes)
        guard extremes[0] == -extremes[1] else {
            let calls = try base.allGather(Array("\(name) #\(number)".utf8)).map { String(decoding: $0, as: UTF8.self) }
            throw Failure(.watchdog, "watchdog: \(mismatch(calls))")
        }
        return true
    }
}

/// What is wrong with collectives in which ranks met, one of each rank, not all the same.
///
/// The fewest are to blame; of as many, those without the lowest rank.
func mismatch(_ calls: [String]) -> String {
    var callers: [String: [Int]] = [:]
    for (rank, call) in calls.enumerated() { callers[call, default: []].append(rank) }
    let groups = callers.sorted { (-$0.value.count, $0.value[0]) < (-$1.value.count, $1.value[0]) }
    let odd = groups.dropFirst().flatMap(\.value).sorted()
    let all = groups.map { "\(named($0.value)) called \($0.key)" }.joined(separator: ", ")
    return "\(named(odd)) skipped a collective: \(all)"
}
