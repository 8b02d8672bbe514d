public import Failures
import Files
internal import Foundation

/// Writes a file so that a reader sees the old one or all of the new one, also after a power cut.
///
/// Permissions follow the umask; a symbolic link is replaced, not followed.
///
/// - Returns: what its bytes must be when they are read again.
/// - Throws: `Failure` with `permission`, `cannotCreate` or `inputOutput`; an old file is then intact.
@discardableResult
public func writeAtomically(_ bytes: [UInt8], to path: String) throws(Failure) -> FileSeal {
    var file = try AtomicFile(path: path)
    try file.write(bytes.span)
    return try file.commit()
}

/// `writeAtomically` for text, in UTF-8.
@discardableResult
public func writeAtomically(_ text: String, to path: String) throws(Failure) -> FileSeal {
    try writeAtomically(Array(text.utf8), to: path)
}

/// Removes what killed processes left of files that they were writing, in a folder and those below it.
///
/// For folders that no other process writes to.
public func removeTemporaryFiles(below folder: String) throws(Failure) {
    let manager = FileManager.default
    for name in manager.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
        let file = URL(fileURLWithPath: name).lastPathComponent
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
        let url = URL(fileURLWithPath: path)
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
    func reserve(_ bytes: Int) throws(Failure) {
        guard bytes > 0 else { return }
        let number = posix_fallocate(descriptor, 0, off_t(bytes))
        // A file system that cannot reserve finds out when it writes.
        guard number == 0 || number == EOPNOTSUPP || number == EINVAL else {
            throw writingFailure(number, "has no room for \(bytes) bytes", path: path)
        }
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
        try syncFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
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
public func syncFolder(_ path: String) throws(Failure) {
    let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw writingFailure(errno, "cannot be opened to sync it", path: path) }
    let synced = fsync(folder)
    let number = errno
    close(folder)
    // Some file systems have no fsync for directories.
    guard synced == 0 || number == EINVAL else { throw writingFailure(number, "cannot be synced", path: path) }
}

/// What making or writing a file failed of, with the exit code that belongs to it.
public func writingFailure(
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
