import Failures
import Files
import Foundation
import Testing

@Suite(.timeLimit(.minutes(5))) struct RegularFileTests {
    /// Calls `body` with the path of a new folder.
    func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder.path)
    }

    func code(_ path: String) -> ExitCode? {
        do throws(Failure) {
            _ = try RegularFile(path: path)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func whatIsNoRegularFileIsRefusedAtOnce() throws {
        try inFolder { folder in
            unsafe mkfifo(folder + "/fifo", 0o600)
            try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "fifo")
            try FileManager.default.createSymbolicLink(atPath: folder + "/loop", withDestinationPath: "loop")
            for path in [
                "/dev/zero", "/dev/full", "/dev/null", folder, folder + "/fifo", folder + "/link", folder + "/loop",
            ] {
                #expect(code(path) == .badData, "\(path)")
            }
            #expect(code(folder + "/none") == .missingInput)
        }
    }

    @Test func contentsAreReadToTheEnd() throws {
        try inFolder { folder in
            let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try Data(bytes).write(to: URL(fileURLWithPath: folder + "/file"))
            let file = try RegularFile(path: folder + "/file")
            #expect(try file.contents(limit: 200_000) == bytes)
            #expect(try file.bytes(from: 199_999, atMost: 10) == [bytes[199_999]])
            #expect(try file.bytes(from: 200_000, atMost: 10) == [])
            #expect(throws: Failure.self) { try RegularFile(path: folder + "/file").contents(limit: 199_999) }
        }
    }

    /// A file of /proc says that it is empty, and may have more than was asked for.
    @Test func sizeIsNotTrusted() throws {
        #expect(try RegularFile(path: "/proc/self/maps").size == 0)
        #expect(try RegularFile(path: "/proc/self/maps").contents(limit: 1 << 24).count > 100)
        #expect(throws: Failure.self) { try RegularFile(path: "/proc/self/maps").contents(limit: 100) }
    }
}
