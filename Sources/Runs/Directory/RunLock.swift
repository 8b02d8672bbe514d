import Failures
import Foundation

/// Who works in a run directory.
struct LockOwner: Codable, Equatable {
    var host: String
    var process: Int32
    /// When the process began, in ticks since the machine's start: process numbers come again.
    var processStart: String
    /// Where process numbers mean the same as there; nil where `/proc` does not tell.
    var numbering: ProcessNumbering?
    /// The batch job, where there is one.
    var job: String?
    /// When the lock was taken, ISO 8601.
    var since: String
    /// Tells locks of one process apart.
    var nonce: UInt64

    enum CodingKeys: String, CodingKey {
        case host, process, numbering, job, since, nonce
        case processStart = "process_start"
    }

    /// This process.
    static var own: LockOwner {
        let environment = ProcessInfo.processInfo.environment
        let process = ProcessInfo.processInfo.processIdentifier
        return LockOwner(
            host: ProcessInfo.processInfo.hostName,
            process: process,
            processStart: startOfProcess(process) ?? "",
            numbering: .own,
            job: environment["SLURM_JOB_ID"] ?? environment["PBS_JOBID"],
            since: Date.now.ISO8601Format(),
            nonce: .random(in: 0...UInt64.max)
        )
    }

    /// `process 17 on node4 (job 92), since 2026-01-31T12:00:00Z`.
    var description: String {
        "process \(process) on \(host)\(job.map { " (job \($0))" } ?? ""), since \(since)"
    }
}

/// A start of a machine and a PID namespace: within both, a process number and its `/proc` mean one process.
///
/// Names of hosts say little: containers and the nodes of a cluster may share one.
struct ProcessNumbering: Codable, Equatable {
    /// The machine's start, a UUID.
    var boot: String
    /// The namespace, as `pid:[4026531836]`.
    var namespace: String

    /// This process's; nil where `/proc` is not there, or shows another namespace's processes.
    static var own: ProcessNumbering? {
        let manager = FileManager.default
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let namespace = try? manager.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid"),
            let number = try? manager.destinationOfSymbolicLink(atPath: "/proc/self"),
            Int32(number) == ProcessInfo.processInfo.processIdentifier
        else { return nil }
        return ProcessNumbering(boot: boot.trimmingCharacters(in: .whitespacesAndNewlines), namespace: namespace)
    }
}

/// Keeps a second run out of a run directory: the file `run.lock`, made by the root and removed at the end.
///
/// The file is made with O_EXCL, which is atomic on NFS and Lustre too, where `flock` may be local. A run that was
/// killed leaves it behind: it is stale where its process is gone, as far as `/proc` can tell (`ProcessNumbering`), and
/// else where its heartbeat (its time of modification, by the file system's clock) is older than `staleAfter`.
final class RunLock: Sendable {
    /// Seconds without a heartbeat after which a lock is stale whose process cannot be looked for; the heartbeat comes
    /// every five, and NFS may show it up to 60 late.
    static let staleAfter = 120.0
    static let name = "run.lock"

    private let path: String
    private let descriptor: Int32
    private let owner: LockOwner

    /// Takes the lock of a run directory.
    ///
    /// - Throws: `Failure` 78 naming host, process and job where another run holds it; 73, 74 or 77 where the file
    ///   cannot be made.
    init(directory: String, owner: LockOwner = .own) throws(Failure) {
        path = "\(directory)/\(Self.name)"
        var made = Self.create(path, owner)
        if made == nil {
            try Self.removeIfStale(path, in: directory, seenBy: owner)
            made = Self.create(path, owner)
        }
        guard let made else {
            let number = errno
            if number == EEXIST { throw Self.refusal(path, in: directory, Self.owner(of: path)) }
            let code: ExitCode = Self.deniesPermission(number) ? .permission : .cannotCreate
            throw Failure(code, "cannot be created: \(unsafe String(cString: strerror(number)))", at: path)
        }
        descriptor = made
        self.owner = owner
    }

    deinit { close(descriptor) }

    /// A sign of life to other hosts.
    func beat() { _ = futimens(descriptor, nil) }

    /// Lets others in; a lock that another run has taken over meanwhile, as from a machine that was asleep, stays.
    func release() {
        if Self.owner(of: path)?.nonce == owner.nonce { unsafe unlink(path) }
    }

    /// The new file, open; nil with `errno` where it cannot be made.
    private static func create(_ path: String, _ owner: LockOwner) -> Int32? {
        guard let bytes = try? Array(JSONEncoder().encode(owner)) else { return nil }
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return nil }
        guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else {
            let number = errno
            close(descriptor)
            unsafe unlink(path)
            errno = number
            return nil
        }
        return descriptor
    }

    private static func deniesPermission(_ number: Int32) -> Bool { [EACCES, EPERM, EROFS].contains(number) }

    /// Who holds a lock; nil where the file tells nothing, as when it was just made.
    private static func owner(of path: String) -> LockOwner? {
        FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode(LockOwner.self, from: $0) }
    }

    private static func removeIfStale(_ path: String, in directory: String, seenBy own: LockOwner) throws(Failure) {
        let found = owner(of: path)
        guard isStale(found, heartbeat: age(of: path, in: directory), seenBy: own) else {
            throw refusal(path, in: directory, found)
        }
        // Two runs may find the same stale lock, and one of them has taken the new one before the other comes to remove
        // the old one: it is moved away first, and moved back where it is not the one that was found.
        let aside = "\(path).stale-\(own.nonce)"
        guard unsafe rename(path, aside) == 0 else {
            let number = errno
            // Another run was faster, unless nobody may.
            guard deniesPermission(number) else { return }
            throw Failure(
                .permission,
                "of a run that is over cannot be removed: \(unsafe String(cString: strerror(number)))",
                at: path
            )
        }
        if owner(of: aside) != found { _ = unsafe link(aside, path) }
        unsafe unlink(aside)
    }

    private static func refusal(_ path: String, in directory: String, _ owner: LockOwner?) -> Failure {
        let who = owner?.description ?? "another process"
        let life = age(of: path, in: directory).map { ", last sign of life \(Int($0)) s ago" } ?? ""
        return Failure(
            .configuration,
            "another run works in this directory: \(who)\(life); wait for it, stop it, or choose another run.directory",
            at: path
        )
    }

    /// Seconds since the last heartbeat, by the clock of the file system; nil where that cannot be told.
    private static func age(of path: String, in directory: String) -> Double? {
        let probe = "\(directory)/.\(name).clock-\(UInt64.random(in: 0...UInt64.max))"
        let descriptor = unsafe open(probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        defer {
            close(descriptor)
            unsafe unlink(probe)
        }
        var now = stat()
        var beaten = stat()
        guard unsafe fstat(descriptor, &now) == 0, unsafe lstat(path, &beaten) == 0 else { return nil }
        return Double(now.st_mtim.tv_sec - beaten.st_mtim.tv_sec)
    }
}

/// Whether a lock's holder is gone, by the rules of `RunLock`; `heartbeat` is its age in seconds.
func isStale(_ owner: LockOwner?, heartbeat: Double?, seenBy own: LockOwner) -> Bool {
    if let owner, let numbering = owner.numbering, numbering == own.numbering, let gone = isGone(owner) { return gone }
    return heartbeat.map { $0 >= RunLock.staleAfter } ?? false
}

/// Whether a process whose number means the same here is gone; nil where this user may not see it.
private func isGone(_ owner: LockOwner) -> Bool? {
    if let start = startOfProcess(owner.process) { return start != owner.processStart }
    return kill(owner.process, 0) != 0 && errno == ESRCH ? true : nil
}

/// When a process began, which tells it from any other that has or had its number: empty where it has ended and only
/// its parent has not looked, nil where none is seen.
private func startOfProcess(_ process: Int32) -> String? {
    guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return nil }
    // The second field, the program's name in brackets, may hold anything; the start is the twentieth after it.
    let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
    guard fields.count > 20 else { return nil }
    return fields[1] == "Z" ? "" : String(fields[20])
}
