import Foundation
import Reporting
import StrictJSON
import Testing

struct ExportTests {
    private static func table(_ lines: [JSONValue]) throws -> MetricsTable {
        var table = MetricsTable()
        for line in lines { try table.add(JSONFields(line, at: "metrics.jsonl")) }
        return table
    }

    @Test func aStageBecomesATable() throws {
        let table = try Self.table([
            ["stage": "sft", "step": 1, "seconds": 0.5, "loss": 2.0],
            [
                "stage": "policy", "step": 1, "seconds": 1.5, "objective": "maxmin", "utility": ["a,b": 1.0],
                "flag": true,
            ],
            ["stage": "sft", "step": 2, "seconds": 0.5, "loss": nil, "note": "say \"x\"\n"],
        ])
        let files = try table.csvFiles()
        #expect(files.map(\.name) == ["sft.csv", "policy.csv"])
        #expect(files[0].text == "part,step,seconds,loss,note\r\n,1,0.5,2.0,\r\n,2,0.5,,\"say \"\"x\"\"\n\"\r\n")
        #expect(files[1].text == "part,step,seconds,\"utility/a,b\",flag\r\nmaxmin,1,1.5,1.0,true\r\n")
    }

    /// Steps last half a second and a second and a half; figures that are not numbers are left out.
    @Test func aPartBecomesARunOfMLflow() throws {
        var run = ReportedRun(name: "it's: \"a\"", directory: "runs/a", configuration: "")
        run.keys = ["policy.beta": "0.1"]
        run.metrics = try Self.table([
            ["stage": "policy", "step": 1, "seconds": 0.5, "objective": "maxmin", "utility": ["x": 1.0], "w": "x"],
            ["stage": "policy", "step": 2, "seconds": 1.5, "objective": "maxmin", "utility": ["x": -2.5], "f": true],
        ])
        let files = try mlflowFiles(run, folder: "/tmp/a b", start: Date(timeIntervalSince1970: 100))
        let texts = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.text) })
        let meta = try #require(files.first { $0.path.hasSuffix("/meta.yaml") })
        let base = String(meta.path.dropLast("/meta.yaml".count))
        #expect(texts["\(base)/metrics/utility/x"] == "100500 1.0 1\n102000 -2.5 2\n")
        #expect(texts["\(base)/metrics/f"] == "102000 1.0 2\n" && texts["\(base)/metrics/w"] == nil)
        #expect(texts["\(base)/params/policy.beta"] == "0.1")
        #expect(texts["1/meta.yaml"]?.contains("name: \"it's: \\\"a\\\"\"\n") == true)
        #expect(meta.text.contains("run_name: \"policy/maxmin\"") && meta.text.contains("file:///tmp/a%20b/"))
    }

    /// Names of groups are people's; none of them may leave the folder, hide another, or be a folder and a file.
    @Test func namesAreSafePaths() throws {
        var run = ReportedRun(name: "a", directory: "a", configuration: "")
        run.metrics = try Self.table([
            [
                "stage": "evaluate", "step": 1, "seconds": 0, "objective": "maxmin",
                "r": ["../../../up": 1.0, "\u{E9}": 2.0, "\u{E8}": 3.0, "x": 4.0, "x/y": 5.0, "": 6.0, "a\u{0}b": 7.0],
            ]
        ])
        let files = try mlflowFiles(run, folder: "/tmp/a", start: Date(timeIntervalSince1970: 0))
        let metrics = files.filter { $0.path.contains("/metrics/") }
        let names = metrics.compactMap { $0.path.split(separator: "/metrics/").last.map(String.init) }
        #expect(Set(names).count == 8)
        #expect(names.allSatisfy { !$0.contains("..") && !$0.contains("\u{0}") })
        for name in names { #expect(!names.contains { $0.hasPrefix(name + "/") }, "\(name) is a file and a folder") }
    }
}
