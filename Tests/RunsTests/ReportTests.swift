import Failures
import Foundation
import ModelFiles
import TestSupport
import Testing

@testable import Runs

struct ReportTests {
    /// Judges × policies × prompts × samples: the policies differ most on prompt 2, then on prompt 0; a judge that
    /// cannot tell counts nothing.
    @Test func samplesAreThoseThatDifferMost() {
        let utilities: [[[[Double]]]] = [
            [[[1], [5], [0]], [[2], [5], [9]]],
            [[[7], [7], [7]], [[7], [7], [7]]],
        ]
        #expect(mostDifferent(utilities, count: 2) == [2, 0])
        #expect(mostDifferent(utilities, count: 9) == [2, 0, 1])
        #expect(mostDifferent(utilities, count: 0) == [])
    }

    /// Judges in other units count alike: what is a hundred times as large differs no more.
    @Test func unitsDoNotCount() {
        let small: [[[Double]]] = [[[0], [0], [0]], [[1], [0], [1]]]
        let large: [[[Double]]] = [[[0], [0], [0]], [[0], [100], [100]]]
        #expect(mostDifferent([small, large], count: 3) == [2, 0, 1])
    }

    /// An export replaces only what an export wrote.
    @Test func anExportKeepsWhatIsNotItsOwn() throws {
        try withTemporaryDirectory { path in
            try writeAtomically("run: { name: a, directory: \(path) }\n", to: "\(path)/config.yaml")
            try writeAtomically("{\"started\": \"2026-01-01T00:00:00Z\"}", to: "\(path)/environment.json")
            func failure(_ format: ExportFormat, overwrite: Bool = false) -> Failure? {
                #expect(throws: Failure.self) { try exportRun(path, as: format, to: nil, overwrite: overwrite) }
            }
            try writeAtomically("", to: "\(path)/metrics.jsonl")
            #expect(failure(.csv)?.description.contains("no metrics yet") == true)
            try writeAtomically("{\"stage\": \"sft\", \"step\": 1, \"seconds\": 1}\n", to: "\(path)/metrics.jsonl")
            for format in ExportFormat.allCases {
                let written = try exportRun(path, as: format, to: nil, overwrite: false)
                #expect(written.folder == "\(path)/\(format.folder)" && written.files > 0)
                #expect(failure(format)?.code == .cannotCreate)
                #expect(try exportRun(path, as: format, to: nil, overwrite: true).files == written.files)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)/mlruns/1").count == 3)
            // An experiment of another program has the same number.
            try FileManager.default.removeItem(atPath: "\(path)/mlruns/1/tags")
            #expect(failure(.mlflow, overwrite: true)?.description.contains("something else") == true)
        }
    }

    @Test func aRunWithoutAFinishedStageHasNoReport() throws {
        try withTemporaryDirectory { path in
            try writeAtomically("run: { name: a, directory: \(path) }\n", to: "\(path)/config.yaml")
            func failure(_ runs: [String]) -> Failure? {
                #expect(throws: Failure.self) { try compareRuns(runs, to: "\(path)/out.html", overwrite: false) }
            }
            #expect(failure([path])?.code == .missingInput)
            #expect(failure([path])?.description.contains("no finished stage") == true)
            #expect(failure(["\(path)/none"])?.description.contains("no run directory") == true)
            try writeAtomically("mine", to: "\(path)/out.html")
            #expect(failure([path])?.code == .cannotCreate)
            #expect(try String(contentsOfFile: "\(path)/out.html", encoding: .utf8) == "mine")
        }
    }
}
