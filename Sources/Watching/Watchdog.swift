internal import Collectives
internal import Failures
internal import Foundation
internal import Synchronization

/// How the watchdog works, from when the run directory is known.
struct Watch: Sendable {
    var deadlines = Deadlines()
    var folder: RankFolder?
    /// Called every few seconds, as a sign of life to other runs.
    var heartbeat: @Sendable () -> Void = {}
}

/// Ends a run that makes no progress: a thread beside the one that works.
///
/// It tells what its rank does several times a second, and reads what all ranks tell where its rank waits: one that has left ends
/// the run at once, one that is late when a deadline has passed. It may not call MPI, where another thread may be in a call: it ends its own
/// process, and the launcher then ends all others.
final class Watchdog: Sendable {
    /// Waiting for longer than this, seconds, is looked into.
    ///
    /// Ranks 0 and 1 look for all, so that a thousand ranks do not read a thousand files each; one of the two may itself be the
    /// one that is gone.
    private static let patience = 2.0
    private static let tick = 0.25
    private static let heartbeatInterval = 5.0

    private let record: RankRecord
    private let rank: Int
    private let size: Int
    private let end: @Sendable (String) -> Void
    private let watch = Mutex(Watch())
    private let stopped = Mutex(false)

    /// Starts watching; `end` is called with the one line that tells why, and does not come back in a real run.
    init(_ record: RankRecord, rank: Int, size: Int, end: @escaping @Sendable (String) -> Void) {
        (self.record, self.rank, self.size, self.end) = (record, rank, size, end)
        let thread = Thread { self.run() }
        thread.name = "watchdog"
        thread.start()
    }

    /// Takes over how to watch; from now on the others can read of this rank.
    func adopt(_ new: Watch) {
        watch.withLock { $0 = new }
        tell()
    }

    /// Ends the thread; where others are to know, this rank tells that it has left the run.
    func stop(tellingOthers: Bool) {
        stopped.withLock { stopped in
            stopped = true
            guard tellingOthers else { return }
            record.finish()
            tell()
        }
    }

    private func tell() {
        watch.withLock { $0.folder }?.open(rank: rank)?.write(record.now.state)
    }

    /// Seconds between two states of a rank: over all ranks not more than 64 are written a second.
    private var interval: Double { max(Self.tick, Double(size) / 64) }

    private func run() {
        var told = -Double.infinity
        var looked = -Double.infinity
        var beaten = -Double.infinity
        var file: RankFile?
        while !stopped.withLock({ $0 }) {
            let time = ProcessInfo.processInfo.systemUptime
            let watch = watch.withLock { $0 }
            if file == nil, let folder = watch.folder { file = folder.open(rank: rank) }
            if time - told >= interval {
                // Under the lock of `stop`: an older state, written late, would cover up that this rank has left.
                stopped.withLock { stopped in
                    if !stopped { file?.write(record.now.state) }
                }
                told = time
            }
            if time - beaten >= Self.heartbeatInterval {
                watch.heartbeat()
                beaten = time
            }
            let (own, phase) = record.now
            let deadline = watch.deadlines.of(phase)
            if own.idle >= deadline {
                if let diagnosis = late(own, deadline: deadline, watch) { conclude(diagnosis, own, watch) }
            } else if rank < 2, own.isWaiting, own.idle >= Self.patience, time - looked >= 1 {
                if let diagnosis = missingRanks(states(own, watch), seenBy: own) { conclude(diagnosis, own, watch) }
                looked = time
            }
            Thread.sleep(forTimeInterval: Self.tick)
        }
    }

    private func late(_ own: RankState, deadline: Double, _ watch: Watch) -> Diagnosis? {
        let states = states(own, watch)
        return missingRanks(states, seenBy: own)
            ?? lateRanks(
                states,
                seenBy: own,
                deadline: deadline,
                interval: interval,
                at: Date().timeIntervalSince1970
            ).map {
                Diagnosis(fault: "\($0.fault) (deadline \(deadline) s)", ranks: $0.ranks)
            }
    }

    /// What all ranks last told; this one as it is now.
    private func states(_ own: RankState, _ watch: Watch) -> [RankState] {
        guard let folder = watch.folder else { return [own] }
        return (0..<size).map { $0 == rank ? own : folder.state(of: $0) ?? RankState(rank: $0) }
    }

    /// Tells why, on the first rank to come here, and ends the process.
    private func conclude(_ diagnosis: Diagnosis, _ own: RankState, _ watch: Watch) {
        stopped.withLock { $0 = true }
        let calls = lastCalls(states(own, watch))
        let line = Failure(.watchdog, "watchdog: \(diagnosis.fault); last collectives: \(calls)").description
        if watch.folder?.claimVerdict(line) ?? true {
            end(line)
        } else {
            // The rank that tells is about to end us all; should it fail to, this one ends too.
            Thread.sleep(forTimeInterval: 1)
            end("")
        }
    }
}
