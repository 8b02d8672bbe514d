import Foundation

/// A file or folder that Open MPI keeps on a node for a rank that runs there, and leaves where rank and launcher are
/// killed.
package struct MPIFile: Codable, Equatable, Sendable {
    /// The node.
    package var host: String
    /// Where it is there.
    package var path: String
    /// Tells it from a later one of that name: Open MPI makes names from process numbers, which come again.
    var inode: UInt64

    /// What is kept for this process: the segments of shared memory that it has mapped, and the session folder of its
    /// launcher.
    static func ofThisProcess() -> [MPIFile] {
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        let segments = maps.split(separator: "\n").compactMap { line in
            Self.segments.lazy.compactMap { line.range(of: $0) }.first.map { String(line[$0.lowerBound...]) }
        }
        let session = ProcessInfo.processInfo.environment["PMIX_SERVER_TMPDIR"]
        return Set(segments + [session].compactMap(\.self)).sorted().compactMap(MPIFile.init)
    }

    /// The file that is there now; nil where there is none of this user's.
    init?(path: String) {
        var found = stat()
        guard unsafe lstat(path, &found) == 0, found.st_uid == geteuid() else { return nil }
        self.init(host: ProcessInfo.processInfo.hostName, path: path, inode: UInt64(found.st_ino))
    }

    private init(host: String, path: String, inode: UInt64) {
        (self.host, self.path, self.inode) = (host, path, inode)
    }

    /// Removes it where it lies on this node and is still the same.
    ///
    /// What Open MPI would not have named so stays, whatever a record says, and so does the folder of a launcher that
    /// runs.
    package func remove() {
        guard MPIFile(path: path) == self, isSegment || isSessionOfDeadLauncher else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Of Open MPI 4 and 5.
    private static let segments = ["/dev/shm/vader_segment.", "/dev/shm/sm_segment."]

    private var isSegment: Bool {
        Self.segments.contains { path.hasPrefix($0) && !path.dropFirst($0.count).contains("/") }
    }

    /// Such a folder is named `ompi.HOST.UID/pid.PROCESS` by Open MPI 4, and `ompi.PROCESS` by Open MPI 5.
    private var isSessionOfDeadLauncher: Bool {
        let names = path.split(separator: "/").suffix(2)
        guard let user = names.first, let folder = names.last else { return false }
        let isOfUser = user.hasPrefix("ompi.") && user.hasSuffix(".\(geteuid())")
        let prefix = isOfUser ? "pid." : "ompi."
        guard folder.hasPrefix(prefix), let process = Int32(folder.dropFirst(prefix.count)), process > 0 else {
            return false
        }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}
