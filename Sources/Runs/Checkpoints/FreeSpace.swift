internal import Failures
internal import Foundation

/// Throws where a folder's file system has less room than `bytes` for this user.
func requireFreeSpace(_ bytes: Int, at path: String) throws(Failure) {
    var system = statvfs()
    // A file system that does not tell is found out by writing.
    guard unsafe statvfs(path, &system) == 0 else { return }
    let (free, overflows) = UInt64(system.f_bavail).multipliedReportingOverflow(by: UInt64(system.f_frsize))
    guard !overflows, free < UInt64(clamping: bytes) else { return }
    throw Failure(
        .inputOutput,
        "checkpoints need \(bytes) bytes, \(free) are free; make room, or choose another run.directory",
        at: path
    )
}
