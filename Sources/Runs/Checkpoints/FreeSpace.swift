import Failures
import ModelFiles

/// Throws where a folder's file system has less room than `bytes` for this user.
func requireFreeSpace(_ bytes: Int, at path: String) throws(Failure) {
    // A file system that does not tell is found out by writing.
    guard let free = freeSpace(at: path), free < bytes else { return }
    throw Failure(
        .inputOutput,
        "checkpoints need \(bytes) bytes, \(free) are free; make room, or choose another run.directory",
        at: path
    )
}
