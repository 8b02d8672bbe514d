import Failures
import Foundation

/// Writes a file so that a reader sees the old one or all of the new one.
///
/// The bytes go to a temporary name beside it, are synced, and take the name by `rename`, which is synced too. Whatever
/// fails, the temporary file is removed; a failed sync is not tried again.
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
            isPending = false
            let code: ExitCode = errno == EACCES || errno == EPERM ? .permission : .cannotCreate
            throw Failure(code, "cannot be created: \(errorText(errno))", at: path)
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
        if number != 0 { throw failure("cannot be written", number) }
    }

    /// Syncs the file and gives it its name.
    consuming func commit() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw failure("cannot be synced", errno) }
        guard unsafe rename(temporary, path) == 0 else { throw failure("cannot be renamed into place", errno) }
        isPending = false
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let folder = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("folder cannot be opened to sync it", errno) }
        let synced = fsync(folder)
        let number = errno
        close(folder)
        guard synced == 0 else { throw failure("folder cannot be synced", number) }
    }

    private func failure(_ what: String, _ number: Int32) -> Failure {
        Failure(.inputOutput, "\(what): \(errorText(number))", at: path)
    }
}

/// Writes a small file atomically.
func writeAtomically(_ bytes: [UInt8], to path: String) throws(Failure) {
    let file = try AtomicFile(path: path)
    try file.write(bytes.span)
    try file.commit()
}
