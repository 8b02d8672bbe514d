import Failures
import Foundation
package import Runs

/// Runs of a sweep that are to be done, and how.
package struct SweepJob: Sendable {
    /// Path of the configuration that every run begins with.
    package let base: String
    /// Those to do, in order.
    package let runs: [SweepRun]
    /// How many the sweep has.
    package let count: Int
    /// Path of this program.
    package let program: String
    /// Words before `maxmin run` that start the ranks, as `mpirun -n 4`; none: one process.
    package var launcher: [String] = []
    /// Options for every run besides `--set`.
    package var options: [String] = []

    /// Describes what is to be done.
    package init(base: String, runs: [SweepRun], count: Int, program: String) {
        self.base = base
        self.runs = runs
        self.count = count
        self.program = program
    }
}

/// What doing runs of a sweep came to.
package struct SweepOutcome: Equatable, Sendable {
    /// Exit statuses of runs that failed, by their index in the sweep.
    package var failures: [Int: Int32] = [:]
    /// Whether a run stopped with a checkpoint, and those after it were not begun.
    package var isStopped = false

    /// What the command ends with: 75 where it stopped, else that of the first run that failed, else 0.
    package var status: Int32 {
        if isStopped { return ExitCode.resumable.rawValue }
        return failures.min { $0.key < $1.key }?.value ?? ExitCode.done.rawValue
    }
}

/// Does runs one after another, each in processes of its own, so that nothing of one is left in memory for the next.
///
/// Finished runs are skipped and others go on from their last checkpoint. A run that fails is noted and the next one
/// begins; one that dies and gets further is started again, as `supervise` does. Signals are as in `supervise`.
package func perform(_ job: SweepJob, say: (String) -> Void) throws -> SweepOutcome {
    var outcome = SweepOutcome()
    var signals = ForwardedSignals()
    for run in job.runs {
        if signals.stopRequested {
            outcome.isStopped = true
            break
        }
        let title = "run \(run.index) of \(job.count), \(run.name)"
        switch run.state {
        case .done:
            say("\(title): done before")
            continue
        case .changed(let keys):
            say(
                "\(title): was finished with another configuration: \(keys); put that back, or remove "
                    + run.directory.path
            )
            outcome.failures[run.index] = ExitCode.configuration.rawValue
            continue
        case .new, .unfinished, .failed: break
        }
        say(title)
        let command =
            job.launcher + [job.program, "run", job.base] + run.overrides.flatMap { ["--set", $0] } + job.options
            + ["--resume"]
        var supervised = SupervisedRun(command: command, directory: run.directory.path, restarts: 1)
        supervised.leavesStopped = true
        let status = try supervise(supervised, forwarding: &signals, say: say)
        if status == ExitCode.resumable.rawValue || signals.stopRequested && status != ExitCode.done.rawValue {
            outcome.isStopped = true
            break
        }
        if status != ExitCode.done.rawValue {
            say("\(title): failed with \(status)")
            outcome.failures[run.index] = status
        }
    }
    return outcome
}
