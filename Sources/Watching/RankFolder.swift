package import Failures
import Foundation

/// The folder of a run in which every rank tells what it does, where all others can read it, on any node.
///
/// A rank rewrites its own file in place, so a reader may find it half written; it then counts as not there, until the
/// next time. Nothing is synced: after a power cut nobody asks. The file is closed each time, for only then does NFS
/// hand on what was written.
package struct RankFolder: Sendable {
    /// Where it is.
    package let path: String

    /// Names the folder.
    package init(path: String) { self.path = path }

    /// Makes the folder anew: what an earlier run left goes.
    ///
    /// - Throws: `Failure` 74 where that cannot be done.
    package func clear() throws(Failure) {
        remove()
        guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil else {
            throw Failure(.inputOutput, "cannot be made", at: path)
        }
    }

    /// What MPI kept for the ranks that told of themselves here: of a run that was killed it may still be there.
    package func mpiFiles() -> [MPIFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { state(inFile: "\(path)/\($0)") }.flatMap(\.mpiFiles)
    }

    /// Removes the folder with all that is in it.
    package func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// What a rank last told; nil where it told nothing that can be read.
    func state(of rank: Int) -> RankState? {
        let state = state(inFile: file(of: rank))
        return state?.rank == rank ? state : nil
    }

    private func state(inFile path: String) -> RankState? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try? JSONDecoder().decode(RankState.self, from: data.prefix { $0 != UInt8(ascii: "\n") })
    }

    /// Tells what this rank does; where that fails, the others know nothing new of it.
    func write(_ state: RankState) {
        guard let bytes = try? Array(JSONEncoder().encode(state)) else { return }
        // What remains of a longer state lies behind the end of the line.
        put(bytes, file(of: state.rank), O_CREAT)
    }

    /// Seconds after which what a rank told is surely seen by all others.
    var lag: Double {
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let resolved = URL(literalPath: path).resolvingSymlinksInPath().path
        return fileSystemType(of: resolved, mounts: mounts).map(lagOfFileSystem) ?? lagOfFileSystem("")
    }

    /// Tells how the run ended where this rank is the first to: the line, which stays there for whoever looks; nil
    /// where another one was.
    func claimVerdict(_ line: () -> String) -> String? {
        let file = "\(path)/verdict"
        // A folder that cannot be written is no reason to keep silent.
        guard put([], file, O_CREAT | O_EXCL) || errno != EEXIST else { return nil }
        let line = line()
        put(Array(line.utf8), file, 0)
        return line
    }

    /// The file of a rank, which it rewrites several times a second.
    package func file(of rank: Int) -> String { "\(path)/rank-\(rank).json" }

    /// Writes a line at the beginning of a file; false with `errno` where it cannot be opened.
    @discardableResult
    private func put(_ line: [UInt8], _ path: String, _ flags: Int32) -> Bool {
        let descriptor = unsafe Foundation.open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0o666)
        guard descriptor >= 0 else { return false }
        let bytes = line + [UInt8(ascii: "\n")]
        _ = unsafe Foundation.write(descriptor, bytes, bytes.count)
        close(descriptor)
        return true
    }
}
