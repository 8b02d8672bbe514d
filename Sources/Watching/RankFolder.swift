public import Failures
internal import Foundation

/// The folder of a run in which every rank tells what it does, where all others can read it, on any node.
///
/// A rank rewrites its own file in place, so a reader may find it half written; it then counts as not there, until the next
/// time. Nothing is synced: after a power cut nobody asks.
public struct RankFolder: Sendable {
    /// Where it is.
    public let path: String

    /// Names the folder.
    public init(path: String) { self.path = path }

    /// Makes the folder anew: what an earlier run left goes.
    ///
    /// - Throws: `Failure` 74 where that cannot be done.
    public func clear() throws(Failure) {
        remove()
        guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil else {
            throw Failure(.inputOutput, "cannot be made", at: path)
        }
    }

    /// What MPI kept for the ranks that told of themselves here: of a run that was killed it may still be there.
    public func mpiFiles() -> [MPIFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { state(inFile: "\(path)/\($0)") }.flatMap(\.mpiFiles)
    }

    /// Removes the folder with all that is in it.
    public func remove() {
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

    /// Opens this rank's file; nil where that fails, and the others then know nothing of this rank.
    func open(rank: Int) -> RankFile? { RankFile(path: file(of: rank)) }

    /// Whether this rank is the first to tell how the run ended; the line stays there for whoever looks.
    func claimVerdict(_ line: String) -> Bool {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe Foundation.open("\(path)/verdict", flags, 0o666)
        // A folder that cannot be written is no reason to keep silent.
        guard descriptor >= 0 else { return errno != EEXIST }
        let bytes = Array("\(line)\n".utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
        close(descriptor)
        return true
    }

    /// The file of a rank, which it rewrites several times a second.
    package func file(of rank: Int) -> String { "\(path)/rank-\(rank).json" }
}

/// A rank's own file, open for as long as it is watched.
struct RankFile: ~Copyable {
    private let descriptor: Int32

    init?(path: String) {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC
        descriptor = unsafe Foundation.open(path, flags, 0o666)
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Replaces the content; what remains of a longer one lies behind the end of the line.
    func write(_ state: RankState) {
        guard var bytes = try? Array(JSONEncoder().encode(state)) else { return }
        bytes.append(UInt8(ascii: "\n"))
        _ = unsafe pwrite(descriptor, bytes, bytes.count, 0)
    }
}
