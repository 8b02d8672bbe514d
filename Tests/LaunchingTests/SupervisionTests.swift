import Foundation
import TestSupport
import Testing

@testable import Launching

/// Supervision of a shell script that stands in for mpirun.
@Suite struct SupervisionTests {
    /// Supervises `script`, which finds the number of its start, from 1, in `$start` and the run directory in `$run`;
    /// gives the status and the number of starts.
    private func supervised(
        _ script: String,
        restarts: Int = 2,
        leavesStopped: Bool = false
    ) throws -> (status: Int32, starts: Int) {
        try withTemporaryDirectory { path in
            let count = "run=\(path); echo >>$run/starts; start=$(wc -l <$run/starts); "
            var job = SupervisedRun(command: ["bash", "-c", count + script], directory: path, restarts: restarts)
            job.leavesStopped = leavesStopped
            job.pause = 0
            job.patience = 1
            let status = try supervise(job) { _ in }
            return (status, try Data(contentsOf: URL(fileURLWithPath: path + "/starts")).count)
        }
    }

    @Test func aRunThatIsDoneIsDone() throws { #expect(try supervised("exit 0") == (0, 1)) }

    @Test(arguments: [64, 65, 66, 70, 73, 74, 77, 78])
    func lastingErrorsAreNotTriedAgain(status: Int32) throws {
        #expect(try supervised("exit \(status)") == (status, 1))
    }

    @Test(arguments: ["exit 1", "exit 86", "exit 205", "kill -9 $$", "kill -SEGV $$"])
    func failuresAreTriedAgain(failure: String) throws {
        #expect(try supervised("((start == 3)) || \(failure)") == (0, 3))
    }

    @Test func aRunWithoutProgressIsGivenUp() throws {
        #expect(try supervised("exit 137", restarts: 2) == (70, 3))
        #expect(try supervised("exit 137", restarts: 0) == (70, 1))
    }

    /// Each start finishes a checkpoint or a stage, so none counts; what is being written is no progress.
    @Test func progressResetsTheCount() throws {
        let checkpoint = "mkdir -p $run/checkpoints/sft/step-$start; ((start == 7)) || exit 137"
        #expect(try supervised(checkpoint, restarts: 0) == (0, 7))
        let stage = "mkdir -p $run/completed; touch $run/completed/$start; ((start == 7)) || exit 137"
        #expect(try supervised(stage, restarts: 0) == (0, 7))
        // Every other start gets further: without the reset the third would be one too many.
        let everyOther = "((start % 2 == 0)) && mkdir -p $run/checkpoints/sft/step-$start; ((start == 7)) || exit 137"
        #expect(try supervised(everyOther, restarts: 1) == (0, 7))
        let unfinished = "mkdir -p $run/checkpoints/sft/.tmp-step-$start; exit 137"
        #expect(try supervised(unfinished, restarts: 1) == (70, 2))
    }

    @Test func aRunThatStoppedIsResumedOrLeft() throws {
        #expect(try supervised("((start == 2)) || exit 75") == (0, 2))
        #expect(try supervised("exit 75", leavesStopped: true) == (75, 1))
    }

    /// The ranks show life, leave their status or are killed, and the launcher stays: it and what it started are
    /// killed.
    @Test func aLauncherThatOutlivesItsRanksIsKilled() throws {
        let ranks = "mkdir -p $run/watchdog; for i in 1 2 3; do echo $i >$run/watchdog/rank-0.json; sleep 0.1; done; "
        let stays = "trap '' TERM INT USR1; while true; do sleep 0.1; done"
        #expect(try supervised("((start == 2)) && exit 0; \(ranks) \(stays)") == (0, 2))
        let status =
            #"{"state":"done","exit_code":0,"started_from":"","starts_without_progress":0,"host":"h","process":1,"#
            + #""updated":""}"#
        #expect(try supervised("\(ranks) rm -r $run/watchdog; echo '\(status)' >$run/status.json; \(stays)") == (0, 1))
    }

    /// A launcher whose ranks have not begun yet is waited for, and what an earlier start left is no sign of them.
    @Test func slowStartsAreWaitedFor() throws {
        let fails = "mkdir -p $run/watchdog; echo >$run/watchdog/rank-0.json; exit 137"
        #expect(try supervised("((start == 2)) && { sleep 2; exit 0; }; \(fails)") == (0, 2))
    }

    @Test func aStopThatWasAskedForIsFinal() {
        #expect(isFinal(75, stopRequested: true, leavesStopped: false))
        #expect(isFinal(137, stopRequested: true, leavesStopped: false))
        #expect(!isFinal(137, stopRequested: false, leavesStopped: true))
    }
}
