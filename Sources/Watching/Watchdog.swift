import Collectives
import Failures
import Foundation
import Synchronization

/// How the watchdog works, from when the run directory is known.
struct Watch: Sendable {
    var deadlines = Deadlines()
    var folder: RankFolder?
    /// Called every few seconds, as a sign of life to other runs.
    var heartbeat: @Sendable () -> Void = {}
    /// Called with the line that tells why the run ends, on the rank that tells it.
    var ended: @Sendable (String) -> Void = { _ in }
    /// `folder`'s.
    var lag = 3.0
}

/// Ends a run that makes no progress: a thread beside the one that works.
///
/// It tells what its rank does several times a second. Where its rank waits, the watchdogs of ranks 0 and 1 read what
/// all ranks tell: one that has left ends the run at once, one that is late when a deadline has passed. The others read
/// of those two alone, and end the run where both are gone: a thousand ranks do not read a thousand files each. A
/// watchdog may not call MPI, where another thread may be in a call: it ends its own process, and the launcher then
/// ends all others.
final class Watchdog: Sendable {
    /// Waiting for longer than this, seconds, is looked into.
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
        watch.withLock { $0.folder }?.write(record.now.state)
    }

    /// Seconds between two states of a rank, and between two looks at all: over all ranks not more than 64 files a
    /// second are written, nor read by one rank; and less often where what is written is seen late anyway.
    private func interval(_ watch: Watch) -> Double { max(Self.tick, Double(size) / 64, watch.lag / 24) }

    /// Seconds without a new state after which a rank is frozen or gone.
    private func silenceOfTheGone(_ watch: Watch) -> Double { max(watch.lag, 4 * interval(watch)) }

    private func run() {
        var told = -Double.infinity
        var looked = -Double.infinity
        var beaten = -Double.infinity
        var sightings = Sightings()
        while !stopped.withLock({ $0 }) {
            let time = ProcessInfo.processInfo.systemUptime
            let watch = watch.withLock { $0 }
            if time - told >= interval(watch) {
                // Under the lock of `stop`: an older state, written late, would cover up that this rank has left.
                stopped.withLock { stopped in
                    if !stopped { watch.folder?.write(record.now.state) }
                }
                told = time
            }
            if time - beaten >= Self.heartbeatInterval {
                watch.heartbeat()
                beaten = time
            }
            let (own, phase) = record.now
            let deadline = watch.deadlines.of(phase)
            var diagnosis: Diagnosis?
            if !own.isWaiting {
                diagnosis = own.idle >= deadline ? ownLateness(own, deadline: deadline) : nil
            } else if own.idle >= (rank < 2 ? min(Self.patience, deadline) : deadline),
                time - looked >= interval(watch)
            {
                diagnosis = look(own, deadline: deadline, watch, &sightings, at: time)
                looked = time
            }
            if let diagnosis { conclude(diagnosis, own, watch) }
            Thread.sleep(forTimeInterval: Self.tick)
        }
    }

    /// What is wrong, as far as a rank that waits can see.
    private func look(
        _ own: RankState,
        deadline: Double,
        _ watch: Watch,
        _ sightings: inout Sightings,
        at time: Double
    ) -> Diagnosis? {
        let states = states(own, watch, of: rank < 2 ? 0..<size : 0..<2)
        let silence = silenceOfTheGone(watch)
        sightings.look(states, at: time, gap: silence / 2)
        if let missing = missingRanks(states, seenBy: own) { return missing }
        guard own.idle >= deadline else { return nil }
        let late = lateRanks(states, seenBy: own, deadline: deadline, sightings, lag: silence)
        // Ranks 0 and 1 see more than the others, who speak where neither of them can.
        let bothAreGone = (0..<2).allSatisfy { sightings.silence(of: $0) > silence }
        return rank < 2 || watch.folder == nil || bothAreGone ? late : nil
    }

    /// What ranks last told; this one as it is now.
    private func states(_ own: RankState, _ watch: Watch, of ranks: Range<Int>) -> [RankState] {
        guard let folder = watch.folder else { return [own] }
        return ranks.map { $0 == rank ? own : folder.state(of: $0) ?? RankState(rank: $0) }
    }

    /// Tells why, on the first rank to come here, and ends the process.
    private func conclude(_ diagnosis: Diagnosis, _ own: RankState, _ watch: Watch) {
        stopped.withLock { $0 = true }
        func verdict() -> String {
            let calls = lastCalls(states(own, watch, of: 0..<size))
            return Failure(.watchdog, "watchdog: \(diagnosis.fault); last collectives: \(calls)").description
        }
        if let line = watch.folder.map({ $0.claimVerdict(verdict) }) ?? verdict() {
            watch.ended(line)
            end(line)
        } else {
            // The rank that tells is about to end us all; should it fail to, this one ends too.
            Thread.sleep(forTimeInterval: 1)
            end("")
        }
    }
}
