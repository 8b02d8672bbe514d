import Foundation
import Testing

@testable import Watching

@Suite struct MPIFileTests {
    /// The number of a process that is no more.
    private func deadProcess() throws -> Int32 {
        let process = try Process.run(URL(fileURLWithPath: "/bin/true"), arguments: [])
        process.waitUntilExit()
        return process.processIdentifier
    }

    /// Makes what a rank would have told of, removes it as a later start would, and tells whether it is gone.
    private func isRemoved(
        _ path: String,
        isFolder: Bool = false,
        after change: (inout MPIFile) throws -> Void = { _ in }
    ) throws -> Bool {
        if isFolder {
            try FileManager.default.createDirectory(atPath: path + "/1/0", withIntermediateDirectories: true)
        } else {
            try Data([1]).write(to: URL(fileURLWithPath: path))
        }
        defer { try? FileManager.default.removeItem(atPath: path) }
        var file = try #require(MPIFile(path: path))
        try change(&file)
        file.remove()
        return !FileManager.default.fileExists(atPath: path)
    }

    /// Of Open MPI 4 and 5.
    @Test(arguments: ["vader", "sm"]) func segmentsOfAKilledRunAreRemoved(component: String) throws {
        let path = "/dev/shm/\(component)_segment.\(UUID().uuidString).\(geteuid()).0.0"
        #expect(try isRemoved(path))
        #expect(try !isRemoved(path) { $0.host += "x" }, "it lies on another node")
        #expect(try !isRemoved(path) { $0.inode += 1 }, "another job took the name")
    }

    @Test func sessionFoldersAreRemovedWhereTheLauncherIsDead() throws {
        let folder = NSTemporaryDirectory() + "\(UUID().uuidString)/ompi.node.\(geteuid())"
        defer { try? FileManager.default.removeItem(atPath: (folder as NSString).deletingLastPathComponent) }
        #expect(try isRemoved("\(folder)/pid.\(deadProcess())", isFolder: true))
        #expect(try !isRemoved("\(folder)/pid.\(getpid())", isFolder: true))
        #expect(try !isRemoved("\(folder)/pid.0", isFolder: true))
        let parent = (folder as NSString).deletingLastPathComponent
        #expect(try isRemoved("\(parent)/ompi.\(deadProcess())", isFolder: true))
        #expect(try !isRemoved("\(parent)/ompi.\(getpid())", isFolder: true))
    }

    @Test func whatOpenMPIWouldNotHaveMadeStays() throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        #expect(try !isRemoved(folder, isFolder: true))
        #expect(try !isRemoved("\(folder)/ompi.node.\(geteuid() + 1)/pid.\(deadProcess())", isFolder: true))
        #expect(try !isRemoved("/dev/shm/\(UUID().uuidString)"))
        try? FileManager.default.removeItem(atPath: folder)
    }
}
