import CollectiveChecks
import Collectives
import Failures
import Foundation
import Synchronization
import Testing

@testable import Watching

/// Lines that watchdogs ended a run with.
private final class Verdicts: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    /// All of them so far.
    var all: [String] { lines.withLock { $0 } }
    /// The first line that is not empty; waits for it.
    func first() -> String {
        while true {
            if let line = lines.withLock({ $0.first { !$0.isEmpty } }) { return line }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}

@Suite struct WatchdogTests {
    private func withFolder<Result>(_ body: (RankFolder) throws -> Result) throws -> Result {
        let folder = RankFolder(path: NSTemporaryDirectory() + "watchdog-\(UUID().uuidString)")
        try folder.clear()
        defer { folder.remove() }
        return try body(folder)
    }

    private func deadlines(_ seconds: Double) -> Deadlines {
        var deadlines = Deadlines()
        (deadlines.setup, deadlines.rollout, deadlines.score) = (seconds, seconds, seconds)
        (deadlines.step, deadlines.checkpoint) = (seconds, seconds)
        return deadlines
    }

    @Test(arguments: 1...4) func watchedCommunicatorsKeepThePromises(ranks: Int) throws {
        let found = try InProcessGroup.run(ranks: ranks) { communicator in
            try watching(communicator) { try complaints(about: $0) }
        }
        #expect(found.flatMap { $0 } == [])
    }

    @Test func ranksTellWhatTheyDo() throws {
        try withFolder { folder in
            _ = try InProcessGroup.run(ranks: 2) { communicator in
                try watching(communicator) { watched in
                    watched.watch(deadlines(600), reportingTo: folder)
                    watched.begin(stage: "policy")
                    try watched.enter(.rollout, step: 4)
                    try watched.barrier()
                }
            }
            for rank in 0..<2 {
                let state = try #require(folder.state(of: rank))
                #expect(state.location == "stage policy, phase rollout, step 4")
                #expect(state.lastCall == "barrier #1 (done)")
                #expect(state.isFinished && !state.isWaiting)
            }
            #expect(folder.state(of: 2) == nil)
        }
    }

    @Test func stateFilesThatAreNoneCountAsAbsent() throws {
        try withFolder { folder in
            for text in ["", "{", "[1]\n", #"{"rank": 1}"# + "\n"] {
                try text.write(toFile: folder.path + "/rank-0.json", atomically: true, encoding: .utf8)
                #expect(folder.state(of: 0) == nil)
            }
        }
    }

    @Test func aRankThatHangsIsNamed() throws {
        try withFolder { folder in
            let verdicts = Verdicts()
            _ = try InProcessGroup.run(ranks: 3) { communicator in
                try watching(communicator, end: verdicts.add) { watched in
                    watched.watch(deadlines(3), reportingTo: folder)
                    try watched.barrier()
                    try watched.enter(.backward, step: 2)
                    // Rank 1 comes when the others have given up.
                    if communicator.rank == 1 { _ = verdicts.first() }
                    try watched.barrier()
                }
            }
            let line = verdicts.first()
            #expect(line.contains("rank 1 is late: phase backward, step 2"), "\(line)")
            #expect(line.contains("(deadline 3.0 s)"))
            #expect(line.contains("ranks 0, 2: barrier #2") && line.contains("rank 1: barrier #1 (done)"), "\(line)")
        }
    }

    @Test func aRankThatWorksSlowlyIsWaitedFor() throws {
        try withFolder { folder in
            let verdicts = Verdicts()
            _ = try InProcessGroup.run(ranks: 2) { communicator in
                try watching(communicator, end: verdicts.add) { watched in
                    watched.watch(deadlines(2), reportingTo: folder)
                    if communicator.rank == 1 {
                        for step in 1...8 {
                            try watched.enter(.forward, step: step)
                            Thread.sleep(forTimeInterval: 0.5)
                        }
                    }
                    try watched.barrier()
                    verdicts.add("none")
                }
            }
            #expect(verdicts.first() == "none")
        }
    }

    @Test func aRankThatLeavesEarlyIsNamedBeforeTheDeadline() throws {
        try withFolder { folder in
            let verdicts = Verdicts()
            #expect(throws: PeerLeft.self) {
                _ = try InProcessGroup.run(ranks: 2) { communicator in
                    try watching(communicator, end: verdicts.add) { watched in
                        watched.watch(deadlines(600), reportingTo: folder)
                        if communicator.rank == 0 { try watched.barrier() }
                    }
                    // The group would notice a thread that is gone, as MPI does not notice a process: this one stays.
                    if communicator.rank == 1 { _ = verdicts.first() }
                }
            }
            #expect(verdicts.first().contains("rank 1 left the run before barrier #1"))
        }
    }

    @Test(arguments: 2...4) func aSkippedCollectiveIsNamedOnEveryRank(ranks: Int) throws {
        let fault = try Fault("reduce:1:1:skip-collective")
        let failures = try InProcessGroup.run(ranks: ranks) { communicator in
            try watching(communicator, fault: fault) { watched -> Failure? in
                try watched.barrier()
                try watched.enter(.reduce, step: 1)
                var values = [1.0]
                do {
                    try watched.allReduceSum(&values)
                    _ = try watched.allGather([1])
                    return nil
                } catch let failure as Failure {
                    return failure
                }
            }
        }
        for failure in failures {
            #expect(failure?.code == .watchdog)
            #expect(failure?.message.hasPrefix("watchdog: rank 1 skipped a collective") == true)
            #expect(failure?.message.contains("rank 1 called allGather of bytes #2") == true)
        }
    }

    @Test func theReasonIsGivenToTheRunOnOneRank() throws {
        try withFolder { folder in
            let (verdicts, reasons) = (Verdicts(), Verdicts())
            _ = try InProcessGroup.run(ranks: 3) { communicator in
                try watching(communicator, end: verdicts.add) { watched in
                    watched.watch(deadlines(3), reportingTo: folder, ended: reasons.add)
                    if communicator.rank == 1 { _ = verdicts.first() }
                    try watched.barrier()
                }
            }
            #expect(reasons.all == [verdicts.first()])
        }
    }

    /// What the watchdog of rank 2 of 4 says while it waits past its deadline: nil for nothing in three seconds.
    private func verdictOfRankTwo(_ folder: RankFolder, whenRankOneLives lives: Bool) -> String? {
        let verdicts = Verdicts()
        let record = RankRecord(rank: 2)
        // Rank 3 told nothing, and is not looked at.
        for rank in 0..<2 { folder.write(RankState(rank: rank)) }
        _ = record.begin(call: "barrier")
        let watchdog = Watchdog(record, rank: 2, size: 4, end: verdicts.add)
        watchdog.adopt(Watch(deadlines: deadlines(0.5), folder: folder, lag: 1))
        var state = RankState(rank: 1)
        for _ in 0..<30 where verdicts.all.isEmpty {
            if lives { state.count += 1 }
            folder.write(state)
            Thread.sleep(forTimeInterval: 0.1)
        }
        watchdog.stop(tellingOthers: false)
        return verdicts.all.first
    }

    @Test func ranksZeroAndOneJudgeForAllWhileOneOfThemLives() throws {
        try withFolder { folder in #expect(verdictOfRankTwo(folder, whenRankOneLives: true) == nil) }
        try withFolder { folder in
            let verdict = verdictOfRankTwo(folder, whenRankOneLives: false)
            #expect(verdict?.contains("watchdog: ranks 0–1 are late") == true, "\(verdict ?? "")")
        }
    }

    @Test func onlyTheFirstRankTells() throws {
        try withFolder { folder in
            #expect(folder.claimVerdict { "first" } == "first")
            #expect(folder.claimVerdict { "second" } == nil)
            let told = try String(contentsOfFile: folder.path + "/verdict", encoding: .utf8)
            #expect(told == "first\n")
            #expect(RankFolder(path: folder.path + "/nowhere").claimVerdict { "x" } == "x", "silence would be worse")
        }
    }
}
