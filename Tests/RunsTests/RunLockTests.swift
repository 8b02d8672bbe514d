import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct RunLockTests {
    /// The holder of a lock on another machine.
    private func owner(process: Int32 = 17, numbering: ProcessNumbering? = nil) -> LockOwner {
        LockOwner(
            host: "elsewhere",
            process: process,
            processStart: "1",
            numbering: numbering ?? ProcessNumbering(boot: "x", namespace: "pid:[1]"),
            job: "92",
            since: "2026-01-31T12:00:00Z",
            nonce: 1
        )
    }

    /// The failure of taking the lock of `directory`; nil where it was taken, and released again.
    private func refusal(_ directory: String) -> Failure? {
        do throws(Failure) {
            try RunLock(directory: directory).release()
            return nil
        } catch {
            return error
        }
    }

    private func leave(_ owner: LockOwner, in directory: String, age: Double = 0) throws {
        let path = directory + "/run.lock"
        try JSONEncoder().encode(owner).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
    }

    @Test func aSecondRunIsRefusedAndTheHolderNamed() throws {
        try withTemporaryDirectory { directory in
            let lock = try RunLock(directory: directory)
            let failure = refusal(directory)
            #expect(failure?.code == .configuration)
            let process = "process \(ProcessInfo.processInfo.processIdentifier) on \(ProcessInfo.processInfo.hostName)"
            #expect(failure?.message.contains(process) == true, "\(failure?.message ?? "")")
            lock.release()
            #expect(refusal(directory) == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
        }
    }

    @Test func theLockOfADeadProcessIsStale() throws {
        try withTemporaryDirectory { directory in
            // A process number that is in use again, by a process that began at another time.
            let here = try #require(ProcessNumbering.own)
            try leave(owner(process: getpid(), numbering: here), in: directory)
            #expect(refusal(directory) == nil)
            try leave(owner(process: 1 << 30, numbering: here), in: directory)
            #expect(refusal(directory) == nil)
        }
    }

    @Test func aLiveProcessKeepsItsLockWithoutAHeartbeat() throws {
        try withTemporaryDirectory { directory in
            var live = LockOwner.own
            live.nonce += 1
            try leave(live, in: directory, age: RunLock.staleAfter + 60)
            #expect(refusal(directory)?.code == .configuration)
        }
    }

    @Test func ofAnotherBootOrNamespaceOnlyTheHeartbeatTells() throws {
        let here = try #require(ProcessNumbering.own)
        let others = [
            ProcessNumbering(boot: UUID().uuidString, namespace: here.namespace),
            ProcessNumbering(boot: here.boot, namespace: "pid:[1]"),
        ]
        for other in others {
            try withTemporaryDirectory { directory in
                // No process has that number here, and the host has the same name.
                var away = owner(process: 1 << 30, numbering: other)
                away.host = ProcessInfo.processInfo.hostName
                try leave(away, in: directory, age: RunLock.staleAfter - 60)
                #expect(refusal(directory)?.code == .configuration)
                try leave(away, in: directory, age: RunLock.staleAfter + 60)
                #expect(refusal(directory) == nil)
            }
        }
    }

    @Test func aLockThatAnotherRunTookOverStays() throws {
        try withTemporaryDirectory { directory in
            let lock = try RunLock(directory: directory)
            try leave(owner(), in: directory)
            lock.release()
            #expect(refusal(directory)?.message.contains("process 17 on elsewhere") == true)
        }
    }

    @Test func anotherHostsLockIsStaleWithoutAHeartbeat() throws {
        try withTemporaryDirectory { directory in
            try leave(owner(), in: directory, age: RunLock.staleAfter - 60)
            let failure = refusal(directory)
            #expect(failure?.code == .configuration)
            #expect(failure?.message.contains("process 17 on elsewhere (job 92), since 2026") == true)
            try leave(owner(), in: directory, age: RunLock.staleAfter + 60)
            #expect(refusal(directory) == nil)
        }
    }

    @Test func aHeartbeatKeepsTheLockFresh() throws {
        try withTemporaryDirectory { directory in
            let lock = try RunLock(directory: directory, owner: owner())
            let path = directory + "/run.lock"
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -1000)],
                ofItemAtPath: path
            )
            lock.beat()
            #expect(refusal(directory)?.code == .configuration)
            lock.release()
        }
    }

    @Test func aLockThatSaysNothingIsHeldWhileItIsNew() throws {
        try withTemporaryDirectory { directory in
            try Data().write(to: URL(fileURLWithPath: directory + "/run.lock"))
            #expect(refusal(directory)?.code == .configuration)
        }
    }

    @Test func linksAreNotFollowed() throws {
        try withTemporaryDirectory { directory in
            try FileManager.default.createSymbolicLink(
                atPath: directory + "/run.lock",
                withDestinationPath: directory + "/elsewhere"
            )
            #expect(refusal(directory) != nil)
            #expect(!FileManager.default.fileExists(atPath: directory + "/elsewhere"))
        }
    }

    @Test func oneOfManyGetsTheLock() throws {
        try withTemporaryDirectory { directory in
            // All find the same stale lock.
            try leave(owner(process: 1 << 30, numbering: .own), in: directory)
            let takers = 8
            let group = DispatchGroup()
            let locks = Locks()
            for _ in 0..<takers {
                Thread.detachNewThread { [group] in
                    if let lock = try? RunLock(directory: directory) { locks.add(lock) }
                    group.leave()
                }
                group.enter()
            }
            group.wait()
            #expect(locks.count == 1)
        }
    }
}

/// Locks taken by several threads.
///
/// `@unchecked Sendable`: the list is touched only while `mutex` is locked.
private final class Locks: @unchecked Sendable {
    private let mutex = NSLock()
    private var locks: [RunLock] = []
    func add(_ lock: RunLock) { mutex.withLock { locks.append(lock) } }
    var count: Int { mutex.withLock { locks.count } }
}
