import Failures
import Foundation
import Runs
import Synchronization

/// A run that is watched: started again after failures, from its last checkpoint, until it is done.
package struct SupervisedRun: Sendable {
    /// Words of the command that starts the ranks; it goes on from the last checkpoint by itself.
    package var command: [String]
    /// The run's directory, in which progress shows.
    package var directory: String
    /// Restarts without progress after which it is given up.
    package var restarts: Int
    /// Whether a run that stopped with a checkpoint without being told to by us (75) is left so: a batch system queues
    /// it again.
    package var leavesStopped = false
    /// Between the end of a command and its next start: what is left of its processes has the time to end.
    package var pause = 2.0
    /// Seconds without a sign of the ranks after which a launcher that is still there is killed.
    package var patience = 120.0

    /// Describes a run.
    package init(command: [String], directory: String, restarts: Int) {
        self.command = command
        self.directory = directory
        self.restarts = restarts
    }
}

/// Runs a command until its run is done, and gives the exit status to end with.
///
/// SIGUSR1, SIGTERM and SIGINT make the run save and end with 75: each is passed on as SIGUSR1, since mpirun gives
/// ranks no time to save on the other two; a second SIGTERM or SIGINT ends it at once. Failures that another try would
/// meet again (64 to 74, 77, 78) are final. After `restarts` restarts without progress the status is 70. A command that
/// outlives its ranks is killed.
package func supervise(_ job: SupervisedRun, say: (String) -> Void) throws -> Int32 {
    var signals = ForwardedSignals()
    return try supervise(job, forwarding: &signals, say: say)
}

/// As above, under signals that are taken already.
func supervise(
    _ job: SupervisedRun,
    forwarding signals: inout ForwardedSignals,
    say: (String) -> Void
) throws -> Int32 {
    var progress = progressMarks(in: job.directory)
    var fruitless = 0
    while true {
        let status = try run(job, forwarding: &signals, say: say)
        if isFinal(status, stopRequested: signals.stopRequested, leavesStopped: job.leavesStopped) { return status }
        let marks = progressMarks(in: job.directory)
        fruitless = marks == progress ? fruitless + 1 : 0
        progress = marks
        guard fruitless <= job.restarts else {
            say(
                "maxmin: the run ended with status \(status) and has made no progress over \(job.restarts) restarts; "
                    + "giving up"
            )
            return ExitCode.internalError.rawValue
        }
        say("maxmin: the run ended with status \(status); starting it again from its last checkpoint")
        Thread.sleep(forTimeInterval: job.pause)
        if signals.stopRequested { return ExitCode.resumable.rawValue }
    }
}

/// Whether a status ends the supervision.
///
/// Not final are deaths by signals, of nodes and of launchers (1, 86, 137, 205, …), and 75 where nobody asked for it.
func isFinal(_ status: Int32, stopRequested: Bool, leavesStopped: Bool) -> Bool {
    switch ExitCode(rawValue: status) {
    case .done, .usage, .badData, .missingInput, .internalError, .cannotCreate, .inputOutput, .permission,
        .configuration:
        true
    case .resumable:
        stopRequested || leavesStopped
    case .watchdog, nil:
        stopRequested
    }
}

/// What is there only when a run has got further: its finished stages and complete checkpoints.
private func progressMarks(in directory: String) -> Set<String> {
    func paths(_ folder: String) -> [String] {
        FileManager.default.enumerator(atPath: "\(directory)/\(folder)")?.compactMap { $0 as? String } ?? []
    }
    let checkpoints = paths("checkpoints").filter { $0.split(separator: "/").last?.hasPrefix("step-") ?? false }
    return Set(paths("completed") + checkpoints)
}

/// Runs the command to its end and gives its exit status: 128 and the signal's number where a signal ended it.
///
/// A command that outlives its ranks is killed; the status is then the one that the ranks left in `status.json`.
private func run(
    _ job: SupervisedRun,
    forwarding signals: inout ForwardedSignals,
    say: (String) -> Void
) throws -> Int32 {
    let process = try startProcess(job.command)
    var ranks = RankHeartbeat(in: job.directory, patience: job.patience)
    let tick = 0.02
    while process.isRunning {
        if let signal = signals.next() {
            say(signal == SIGUSR1 ? "maxmin: asking the run to save and stop" : "maxmin: ending the run without saving")
            kill(process.processIdentifier, signal)
        }
        if ranks.areGone(after: tick) {
            say(
                "maxmin: \(job.command[0]) outlives its ranks, of which nothing was seen for \(Int(job.patience)) s; "
                    + "killing it"
            )
            kill(-process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            return (try? RunDirectory(path: job.directory).readStatus())?.exitCode ?? 128 + SIGKILL
        }
        Thread.sleep(forTimeInterval: tick)
    }
    return process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
}

/// Signals that arrived, counted by their handlers, which may do no more.
private let saveRequests = Atomic(0)
private let endRequests = Atomic(0)

/// Which of those signals were passed on.
struct ForwardedSignals {
    private var saves = 0
    private var ends = 0

    /// Starts to take signals.
    init() {
        // Touched before a handler can be the first to: making a global takes a lock.
        saveRequests.store(0, ordering: .relaxed)
        endRequests.store(0, ordering: .relaxed)
        signal(SIGUSR1) { _ in saveRequests.add(1, ordering: .relaxed) }
        signal(SIGTERM) { _ in endRequests.add(1, ordering: .relaxed) }
        signal(SIGINT) { _ in endRequests.add(1, ordering: .relaxed) }
    }

    /// Whether any signal arrived.
    var stopRequested: Bool { saveRequests.load(ordering: .relaxed) + endRequests.load(ordering: .relaxed) > 0 }

    /// What is to be sent on now, if anything.
    mutating func next() -> Int32? {
        if saves < saveRequests.load(ordering: .relaxed) {
            saves += 1
            return SIGUSR1
        }
        if ends < endRequests.load(ordering: .relaxed) {
            ends += 1
            return ends == 1 ? SIGUSR1 : SIGTERM
        }
        return nil
    }
}
