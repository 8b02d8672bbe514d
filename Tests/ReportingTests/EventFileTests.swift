import Foundation
import StrictJSON
import Testing

@testable import Reporting

struct EventFileTests {
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path())
    }

    /// The steps of an event file's events, which follow its version.
    private static func steps(_ path: String) throws -> [UInt8] {
        let bytes = try readBytes(ofFile: path)
        let ends = recordEnds(in: bytes)
        #expect(ends.last == bytes.count, "\(path) has a record that is not whole")
        // A record has 12 bytes before the event; the event's time takes 9, and the step's key 1.
        return ends.dropLast().map { bytes[$0 + 12 + 9 + 1] }
    }

    /// `Fixtures/Reporting/make_events.py` made the file with TensorBoard's own code.
    @Test func bytesAreThoseOfTensorBoardsWriter() throws {
        let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/Reporting/events.golden").path()
        let first = SummaryEvent(wallTime: 1.7e9 + 0.25, step: 1, scalars: [("loss", 0.1), ("utility/group-0", -1.5)])
        var second = SummaryEvent(wallTime: 1.7e9 + 1.5, step: 300, scalars: [("loss", 0.1)])
        second.illustrations.histograms = [
            (
                "rewards/group-0",
                Histogram(limits: [-3, -1, 0.5, 2, 4], counts: [0, 0, 3, 2, 0], sum: 2.5, squares: 7.25)
            )
        ]
        second.illustrations.texts = [("samples", [["A", " é."], ["B", String(repeating: "x", count: 200)]])]
        try Self.inFolder { folder in
            let file = EventFile(path: "\(folder)/new/\(EventFile.name)")
            try file.append([first])
            try file.append([second])
            #expect(try readBytes(ofFile: file.path) == readBytes(ofFile: golden))
        }
    }

    @Test func aFileIsCutToWholeEvents() throws {
        try Self.inFolder { folder in
            let file = EventFile(path: "\(folder)/\(EventFile.name)")
            try file.append((1...5).map { SummaryEvent(wallTime: 1, step: $0, scalars: [("a", 1)]) })
            #expect(try file.keep(9) == 5 && file.keep(4) == 4 && Self.steps(file.path) == [1, 2, 3, 4])
            var bytes = try readBytes(ofFile: file.path)
            // Cut in the last event, and a changed byte in the third.
            try Data(bytes.dropLast(3)).write(to: URL(filePath: file.path))
            #expect(try file.keep(9) == 3 && Self.steps(file.path) == [1, 2, 3])
            bytes[recordEnds(in: bytes)[2] + 20] ^= 1
            try Data(bytes).write(to: URL(filePath: file.path))
            #expect(try file.keep(9) == 2 && Self.steps(file.path) == [1, 2])
            try Data([1, 2, 3]).write(to: URL(filePath: file.path))
            #expect(try file.keep(9) == 0 && !FileManager.default.fileExists(atPath: file.path))
        }
    }

    /// Whatever happened to either, event files say what the metrics say when a writer opens or cuts them.
    @Test func eventFilesFollowTheMetrics() throws {
        try Self.inFolder { folder in
            let (metrics, board) = ("\(folder)/metrics.jsonl", "\(folder)/tensorboard")
            func policy(_ objective: String) -> String { "\(board)/policy/\(objective)/\(EventFile.name)" }
            func write(_ writer: MetricsWriter, _ objective: String, _ step: Int) throws {
                try writer.write(stage: "policy", step: step, seconds: 1, ["objective": .string(objective), "a": 1])
            }
            let writer = try MetricsWriter(appendingTo: metrics, tensorBoard: board)
            for step in 1...3 { try write(writer, "maxmin", step) }
            let length = try writer.synchronize()
            try write(writer, "maxmin", 4)
            try write(writer, "single", 1)
            #expect(try Self.steps(policy("maxmin")) == [1, 2, 3, 4] && Self.steps(policy("single")) == [1])
            try writer.cut(to: length)
            #expect(try Self.steps(policy("maxmin")) == [1, 2, 3])
            #expect(!FileManager.default.fileExists(atPath: policy("single")))
            try write(writer, "maxmin", 4)
            #expect(try Self.steps(policy("maxmin")) == [1, 2, 3, 4])
            // Events that are lost come again, from the lines.
            try FileManager.default.removeItem(atPath: board)
            _ = try MetricsWriter(appendingTo: metrics, tensorBoard: board)
            #expect(try Self.steps(policy("maxmin")) == [1, 2, 3, 4])
        }
    }

    @Test func namesThatAreNoFoldersAreLeftOut() throws {
        try Self.inFolder { folder in
            let writer = try MetricsWriter(appendingTo: "\(folder)/metrics.jsonl", tensorBoard: "\(folder)/tensorboard")
            for name in ["../../up", "a/b", "..", "A", "\u{E9}"] {
                try writer.write(stage: "policy", step: 1, seconds: 1, ["objective": .string(name), "a": 1])
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["metrics.jsonl"])
        }
    }

    @Test func figuresBecomeFlat() throws {
        let line: JSONObject = ["a": ["b": 1, "c": [2, nil]], "d": true, "e": "x", "step": 1]
        let flat = flatFigures(line, leavingOut: ["step"])
        #expect(flat.map(\.name) == ["a/b", "a/c/0", "a/c/1", "d", "e"])
        #expect(flat.map(\.value) == [1, 2, nil, true, "x"])
    }

    @Test func partsAreObjectivesAndFits() throws {
        func part(_ line: JSONValue) throws -> String { try MetricsTable.part(of: JSONFields(line, at: "file")) }
        #expect(try part(["stage": "sft"]) == "")
        #expect(try part(["objective": "maxmin"]) == "maxmin")
        #expect(try part(["fit": "single"]) == "single")
        #expect(try part(["fit": "mixture", "restart": 0, "group_sizes": [1, 2]]) == "mixture-of-2")
        #expect(try part(["fit": "mixture", "restart": 2, "group_sizes": [1]]) == "mixture-of-1-start-3")
    }
}
