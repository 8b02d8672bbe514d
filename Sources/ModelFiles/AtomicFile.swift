public import Failures
internal import Foundation

/// Writes a file so that a reader sees the old one or all of the new one, also after a power cut.
///
/// Permissions follow the umask; a symbolic link is replaced, not followed.
///
/// - Throws: `Failure` with `permission`, `cannotCreate` or `inputOutput`; an old file is then intact.
public func writeAtomically(_ bytes: [UInt8], to path: String) throws(Failure) {
    let file = try AtomicFile(path: path)
    try file.write(bytes.span)
    try file.commit()
}

/// `writeAtomically` for text, in UTF-8.
public func writeAtomically(_ text: String, to path: String) throws(Failure) {
    try writeAtomically(Array(text.utf8), to: path)
}

/// A file that takes its name when all of it is on the disk.
///
/// The bytes go to a temporary name beside it, are synced, and take the name by `rename`, which is synced too. Whatever
/// fails, the temporary file is removed; a failed sync is not tried again, since the kernel has marked the pages clean.
struct AtomicFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isPending = true

    /// Creates the temporary file.
    init(path: String) throws(Failure) {
        let url = URL(fileURLWithPath: path)
        let nonce = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        self.path = path
        temporary = url.deletingLastPathComponent().path + "/.\(url.lastPathComponent).tmp-\(nonce)"
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

    /// Appends elements as they lie in memory (little-endian).
    func write<Element: BitwiseCopyable>(_ elements: Span<Element>) throws(Failure) {
        let descriptor = descriptor
        let number: Int32 = unsafe elements.withUnsafeBytes { buffer in
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
        if number != 0 { throw writingFailure(number, "cannot be written", path: path) }
    }

    /// Syncs the file and gives it its name.
    consuming func commit() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw writingFailure(errno, "cannot be synced", path: path) }
        guard unsafe rename(temporary, path) == 0 else {
            throw writingFailure(errno, "cannot be renamed into place", path: path)
        }
        isPending = false
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let folder = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw writingFailure(errno, "folder cannot be opened to sync it", path: path) }
        let synced = fsync(folder)
        let number = errno
        close(folder)
        // Some file systems have no fsync for directories.
        guard synced == 0 || number == EINVAL else {
            throw writingFailure(number, "folder cannot be synced", path: path)
        }
    }
}

/// What making or writing a file failed of, with the exit code that belongs to it.
private func writingFailure(
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
