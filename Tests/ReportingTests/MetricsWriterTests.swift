import Failures
import Foundation
import Reporting
import StrictJSON
import Testing

struct MetricsWriterTests {
    /// A folder of its own for one test, removed after it.
    private static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "metrics-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    private static let figures: JSONObject = {
        var figures = JSONObject()
        figures["loss"] = .number(0.25)
        figures["group"] = .string("a \"b\"\n")
        figures["norm"] = .number(.nan)
        return figures
    }()

    @Test func linesAreThereAtOnceAndInOrder() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "metrics.jsonl").path()
            let writer = try MetricsWriter(appendingTo: path)
            let first =
                #"{"stage": "policy", "step": 1, "seconds": 0.5, "loss": 0.25, "group": "a \"b\"\n", "norm": null}"#
            try writer.write(stage: "policy", step: 1, seconds: 0.5, Self.figures)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == first + "\n")

            try writer.write(stage: "policy", step: 2, seconds: 1, JSONObject())
            let second = #"{"stage": "policy", "step": 2, "seconds": 1.0}"#
            #expect(try String(contentsOfFile: path, encoding: .utf8) == first + "\n" + second + "\n")
        }
    }

    @Test func aLaterWriterAppends() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "metrics.jsonl").path()
            for step in 1...3 {
                try MetricsWriter(appendingTo: path).write(stage: "sft", step: step, seconds: 1, JSONObject())
            }
            let steps = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
                try JSONValue(parsing: Array(line.utf8), at: path).object?["step"]?.integer
            }
            #expect(steps == [1, 2, 3])
        }
    }

    @Test func aFolderThatIsNotThereIsAnError() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "none/metrics.jsonl").path()
            let failure = #expect(throws: Failure.self) { try MetricsWriter(appendingTo: path) }
            #expect(failure?.code == .cannotCreate)
            #expect(failure?.location == path)
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
    func aFullDiskIsAnError() throws {
        let writer = try MetricsWriter(appendingTo: "/dev/full")
        let failure = #expect(throws: Failure.self) {
            try writer.write(stage: "sft", step: 1, seconds: 1, JSONObject())
        }
        #expect(failure?.code == .inputOutput)
    }

    @Test func otherRanksWriteNothing() throws {
        try MetricsWriter(appendingTo: nil).write(stage: "sft", step: 1, seconds: 1, Self.figures)
    }
}
