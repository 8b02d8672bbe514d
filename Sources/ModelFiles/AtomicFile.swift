package import Failures
import Files
import Foundation

/// Writes a file so that a reader sees the old one or all of the new one, also after a power cut.
///
/// Permissions follow the umask; a symbolic link is replaced, not followed.
///
/// - Returns: what its bytes must be when they are read again.
/// - Throws: `Failure` with `permission`, `cannotCreate` or `inputOutput`; an old file is then intact.
@discardableResult
package func writeAtomically(_ bytes: [UInt8], to path: String) throws(Failure) -> FileSeal {
    var file = try AtomicFile(path: path)
    try file.write(bytes.span)
    return try file.commit()
}

/// `writeAtomically` for text, in UTF-8.
@discardableResult
package func writeAtomically(_ text: String, to path: String) throws(Failure) -> FileSeal {
    try writeAtomically(Array(text.utf8), to: path)
}

/// Removes what killed processes left of files that they were writing, in a folder and those below it.
///
/// For folders that no other process writes to.
package func removeTemporaryFiles(below folder: String) throws(Failure) {
    let manager = FileManager.default
    for name in manager.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
        let file = URL(literalPath: name).lastPathComponent
        guard file.hasPrefix("."), file.contains(AtomicFile.temporaryMark),
            manager.fileExists(atPath: "\(folder)/\(name)")
        else { continue }
        do {
            try manager.removeItem(atPath: "\(folder)/\(name)")
        } catch {
            throw Failure(.inputOutput, "cannot be removed: \(error.localizedDescription)", at: "\(folder)/\(name)")
        }
    }
}

/// A file that takes its name when all of it is on the disk.
///
/// The bytes go to a temporary name beside it, are synced, and take the name by `rename`, which is synced too. Whatever
/// fails, the temporary file is removed; a failed sync is not tried again, since the kernel has marked the pages clean.
struct AtomicFile: ~Copyable {
    /// Part of every temporary name, `.NAME.tmp-NONCE`.
    static let temporaryMark = ".tmp-"

    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isPending = true
    private var checksum = Checksum()

    /// Creates the temporary file.
    init(path: String) throws(Failure) {
        let url = URL(literalPath: path)
        let nonce = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        self.path = path
        temporary = url.deletingLastPathComponent().path + "/.\(url.lastPathComponent)\(Self.temporaryMark)\(nonce)"
        descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            let number = errno
            isPending = false
            throw writingFailure(number, "cannot be created", otherwise: .cannotCreate, path: path)
        }
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
        }
        if isPending {
            unsafe unlink(temporary)
        }
    }

    /// Takes room on the disk before anything is written, so that a full one is known at once.
    ///
    /// Where a file system cannot reserve, as NFS before 4.2, glibc would write into every block instead, which it does
    /// not do to files that are open for appending. Such a file system is asked what is free; whatever else takes that
    /// shows when the file is written.
    func reserve(_ bytes: Int) throws(Failure) {
        guard bytes > 0 else { return }
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        var number: Int32
        repeat { number = posix_fallocate(descriptor, 0, off_t(bytes)) } while number == EINTR
        _ = fcntl(descriptor, F_SETFL, 0)
        if [EBADF, EOPNOTSUPP, EINVAL].contains(number) {
            let folder = URL(literalPath: temporary).deletingLastPathComponent().path
            number = freeSpace(at: folder).map { $0 < bytes } == true ? ENOSPC : 0
        }
        guard number == 0 else { throw writingFailure(number, "has no room for \(bytes) bytes", path: path) }
    }

    /// Appends elements as they lie in memory (little-endian).
    mutating func write<Element: BitwiseCopyable>(_ elements: Span<Element>) throws(Failure) {
        let number = append(elements, to: descriptor)
        if number != 0 { throw writingFailure(number, "cannot be written", path: path) }
        checksum.add(elements)
    }

    /// Syncs the file and gives it its name.
    consuming func commit() throws(Failure) -> FileSeal {
        guard fsync(descriptor) == 0 else { throw writingFailure(errno, "cannot be synced", path: path) }
        guard unsafe rename(temporary, path) == 0 else {
            throw writingFailure(errno, "cannot be renamed into place", path: path)
        }
        isPending = false
        try syncFolder(URL(literalPath: path).deletingLastPathComponent().path)
        return FileSeal(checksum)
    }
}

/// Writes elements as they lie in memory, all of them; returns the error number, or 0.
func append<Element: BitwiseCopyable>(_ elements: Span<Element>, to descriptor: Int32) -> Int32 {
    unsafe elements.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return errno }
            done += count
        }
        return 0
    }
}

/// Makes the names in a folder durable.
package func syncFolder(_ path: String) throws(Failure) {
    let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw writingFailure(errno, "cannot be opened to sync it", path: path) }
    let synced = fsync(folder)
    let number = errno
    close(folder)
    // Some file systems have no fsync for directories.
    guard synced == 0 || number == EINVAL else { throw writingFailure(number, "cannot be synced", path: path) }
}

/// Bytes that this user may still write on the file system of `path`; nil where it does not tell.
package func freeSpace(at path: String) -> Int? {
    var system = statvfs()
    // Of some file systems all numbers are 0: ramfs, a few in user space.
    guard unsafe statvfs(path, &system) == 0, system.f_blocks > 0 else { return nil }
    let (free, overflows) = UInt64(system.f_bavail).multipliedReportingOverflow(by: UInt64(system.f_frsize))
    return overflows ? nil : Int(clamping: free)
}

/// What making or writing a file failed of, with the exit code that belongs to it.
package func writingFailure(
    _ number: Int32,
    _ what: String,
    otherwise: ExitCode = .inputOutput,
    path: String
) -> Failure {
    let code: ExitCode =
        switch number {
        case EACCES, EPERM, EROFS: .permission
        case ENOSPC, EDQUOT, EIO: .inputOutput
        default: otherwise
        }
    return Failure(code, "\(what): \(errorText(number))", at: path)
}
