package import Failures
internal import Foundation

/// Writes a file so that a reader sees all of it or none, also after a power cut: a new file beside it, fsync, rename,
/// fsync of the directory.
///
/// Follows no symbolic link; permissions follow the umask.
///
/// - Throws: `Failure`: 77 without permission, 73 where the file cannot be made, 74 where writing fails.
package func writeAtomically(_ bytes: [UInt8], to path: String) throws(Failure) {
    let temporary = "\(path).tmp-\(getpid())"
    let descriptor = unsafe open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure(errno, creating: true, at: temporary) }
    var written = 0
    var problem: Int32 = 0
    while written < bytes.count, problem == 0 {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
        }
        if count >= 0 { written += count } else if errno != EINTR { problem = errno }
    }
    // A failed fsync is not tried again: the kernel has marked the pages clean.
    if problem == 0, fsync(descriptor) != 0 { problem = errno }
    if close(descriptor) != 0, problem == 0 { problem = errno }
    if problem == 0, unsafe rename(temporary, path) != 0 { problem = errno }
    guard problem == 0 else {
        unsafe unlink(temporary)
        throw failure(problem, creating: false, at: path)
    }
    try syncDirectory(of: path)
}

/// `writeAtomically` for text.
package func writeAtomically(_ text: String, to path: String) throws(Failure) {
    try writeAtomically(Array(text.utf8), to: path)
}

private func syncDirectory(of path: String) throws(Failure) {
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(errno, creating: false, at: directory) }
    let result = fsync(descriptor)
    let problem = errno
    close(descriptor)
    // Some file systems have no fsync for directories.
    if result != 0, problem != EINVAL { throw failure(problem, creating: false, at: directory) }
}

/// The failure that an error number of a file operation stands for.
func failure(_ number: Int32, creating: Bool, at path: String) -> Failure {
    let code: ExitCode =
        switch number {
        case EACCES, EPERM, EROFS: .permission
        case ENOSPC, EDQUOT, EIO: .inputOutput
        default: creating ? .cannotCreate : .inputOutput
        }
    return Failure(code, "cannot be written: \(unsafe String(cString: strerror(number)))", at: path)
}
