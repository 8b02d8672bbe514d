import Failures
import Foundation
import Testing

@testable import Runs

@Suite struct RunLockTests {
    private func owner(host: String = "elsewhere", process: Int32 = 17) -> LockOwner {
        LockOwner(host: host, process: process, processStart: "1 x", job: "92", since: "2026-01-31T12:00:00Z", nonce: 1)
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
            try leave(owner(host: ProcessInfo.processInfo.hostName, process: getpid()), in: directory)
            #expect(refusal(directory) == nil)
            try leave(owner(host: ProcessInfo.processInfo.hostName, process: 1 << 30), in: directory)
            #expect(refusal(directory) == nil)
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
            try leave(owner(host: ProcessInfo.processInfo.hostName, process: 1 << 30), in: directory)
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
