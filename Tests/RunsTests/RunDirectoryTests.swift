import Collectives
import Failures
import Foundation
import ModelFiles
import Preferences
import RewardMixture
import StrictJSON
import Tensors
import TestSupport
import Testing

@testable import ModelTools
@testable import Runs

@Suite struct RunDirectoryTests {
    /// The code that `body` fails with; nil where it does not fail.
    private func code(_ body: () throws -> Void) -> ExitCode? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Failure)?.code
        }
    }

    @Test func aForeignDirectoryIsRefused() throws {
        try withTemporaryDirectory { path in
            try "mine".write(toFile: path + "/thesis.tex", atomically: true, encoding: .utf8)
            let directory = RunDirectory(path: path)
            #expect(code { try prepareDirectory(directory, for: [.sft], overwrite: false) } == .configuration)
            #expect(code { try prepareDirectory(directory, for: [.sft], overwrite: true) } == .configuration)
            #expect(FileManager.default.fileExists(atPath: path + "/thesis.tex"))
        }
    }

    @Test func overwritingClearsAStageAndWhatFollowsFromIt() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            try writeAtomically("", to: directory.file("config.yaml"))
            for stage in [Stage.sft, .reward, .policy] {
                try directory.makeFolder(stage.outputs[0])
                try directory.complete(stage)
            }
            #expect(code { try prepareDirectory(directory, for: [.reward], overwrite: false) } == .configuration)
            #expect(code { try prepareDirectory(directory, for: [.simulate], overwrite: false) } == nil)
            #expect(!directory.isComplete(.reward), "a stage before it was done again")
            try directory.complete(.reward)
            try directory.makeFolder("reward")
            try prepareDirectory(directory, for: [.reward], overwrite: true)
            #expect(directory.isComplete(.sft))
            #expect(!directory.isComplete(.reward) && !directory.isComplete(.policy))
            #expect(!FileManager.default.fileExists(atPath: directory.file("policy")))
        }
    }

    @Test func whatAKilledRunWasWritingGoesUnlessTheRunIsRefused() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            let left = directory.file(".preferences.jsonl.tmp-1")
            try writeAtomically("", to: directory.file("config.yaml"))
            try directory.makeFolder(Stage.sft.outputs[0])
            for (stage, resume) in [(Stage.reward, false), (.sft, true)] {
                try "half".write(toFile: left, atomically: false, encoding: .utf8)
                #expect(code { try prepareDirectory(directory, for: [.sft], overwrite: false) } == .configuration)
                #expect(FileManager.default.fileExists(atPath: left), "nothing changes in a directory that is refused")
                try prepareDirectory(directory, for: [stage], overwrite: false, resume: resume)
                #expect(!FileManager.default.fileExists(atPath: left))
            }
        }
    }

    @Test func inputsAreLookedForFirst() throws {
        try withTemporaryDirectory { path in
            let text = path + "/data.jsonl"
            let yaml = "run: { stages: [reward] }\ndata: { preferences: \(text), prompts: \(path)/other.jsonl }"
            let configuration = try Configuration(yaml: yaml, file: "run.yaml")
            #expect(code { try requireInputs(of: [.reward], in: configuration) } == .missingInput)
            let line = #"{"user_id": "u", "prompt": "p", "chosen": "a", "rejected": "b"}"#
            try line.write(toFile: text, atomically: true, encoding: .utf8)
            #expect(code { try requireInputs(of: [.sft, .reward, .report], in: configuration) } == nil)
            for stage in [Stage.calibrate, .policy, .evaluate] {
                #expect(code { try requireInputs(of: [.reward, stage], in: configuration) } == .missingInput)
            }
            try Data([0xFF, 0xFE, 0]).write(to: URL(fileURLWithPath: text))
            #expect(code { try requireInputs(of: [.reward], in: configuration) } == .badData)
        }
    }

    @Test func metricsOfClearedStagesGo() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            let kept = "{\"stage\": \"sft\", \"step\": 1}\n"
            try writeAtomically("", to: directory.file("config.yaml"))
            try writeAtomically(
                kept + "{\"stage\": \"reward\", \"step\": 1}\n{\"stage\": \"policy\", \"step\": 1}\n{\"stage\": \"sf",
                to: directory.file("metrics.jsonl")
            )
            try prepareDirectory(directory, for: [.reward], overwrite: false)
            #expect(try String(contentsOfFile: directory.file("metrics.jsonl"), encoding: .utf8) == kept)
        }
    }

    @Test func aMissingStageIsNamed() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            try directory.makeFolder("reward")
            // The folder is there, but the stage did not finish.
            do throws(Failure) {
                _ = try directory.require("reward", madeBy: .reward)
                Issue.record("an unfinished stage was taken for a finished one")
            } catch {
                #expect(error.code == .missingInput)
                #expect(error.description.contains("\(path)/reward") && error.description.contains("stage reward"))
            }
            try directory.complete(.reward)
            #expect(try directory.require("reward", madeBy: .reward) == path + "/reward")
        }
    }

    /// A directory whose simulate stage, and one policy of an open policy stage, are finished.
    private func withResults(_ body: (RunDirectory) throws -> Void) throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            for folder in ["policy/maxmin", "policy/single"] { try directory.makeFolder(folder) }
            try writeAtomically("{}\n{}\n", to: directory.file("preferences.jsonl"))
            try writeAtomically("weights", to: directory.file("policy/maxmin/model.safetensors"))
            try writeAtomically("half", to: directory.file("policy/single/model.safetensors"))
            try writeAtomically("one\ntwo\n", to: directory.file("metrics.jsonl"))
            for stage in [Stage.simulate, .calibrate] {
                try directory.complete(stage, directory.note(of: stage.outputs, configuration: [:], metricsBytes: 4))
            }
            let note = try directory.note(of: ["policy/maxmin"], configuration: [:], metricsBytes: 8)
            try directory.finish("policy/maxmin", note)
            try body(directory)
        }
    }

    /// What a later stage goes on from must be as it was written, whichever rank looks; what is done again need not.
    @Test(
        arguments: [
            ("preferences.jsonl", "{}\n", ExitCode.badData), ("preferences.jsonl", "{}\n[]\n", .badData),
            ("preferences.jsonl", nil, .missingInput), ("policy/maxmin/model.safetensors", "Weights", .badData),
            ("policy/single/model.safetensors", "other", nil), ("metrics.jsonl", "", nil),
        ] as [(String, String?, ExitCode?)]
    )
    func changedResultsAreRefused(file: String, content: String?, expected: ExitCode?) throws {
        try withResults { directory in
            func verdict(_ open: [Stage], resume: Bool, ranks: Int = 1) -> ExitCode? {
                code {
                    _ = try InProcessGroup.run(ranks: ranks) {
                        try requireUnchanged(before: open, resume: resume, in: directory, over: $0)
                    }
                }
            }
            #expect(verdict([.policy, .report], resume: true) == nil)
            if let content {
                try writeAtomically(content, to: directory.file(file))
            } else {
                try FileManager.default.removeItem(atPath: directory.file(file))
            }
            for ranks in 1...3 { #expect(verdict([.policy, .report], resume: true, ranks: ranks) == expected) }
            #expect(verdict([.policy], resume: false) == (file.hasPrefix("policy") ? nil : expected))
            #expect(verdict([.simulate, .reward, .policy], resume: false) == nil)
            #expect(verdict([], resume: true) == nil)
        }
    }

    /// The report draws metrics; no other stage reads them.
    @Test func changedMetricsAreNotDrawn() throws {
        try withResults { directory in
            let metrics = directory.file("metrics.jsonl")
            func verdict() -> ExitCode? { code { try requireUnchangedMetrics(in: directory) } }
            #expect(verdict() == nil)
            try writeAtomically("one\ntwo\nthree\n", to: metrics)
            #expect(verdict() == nil)
            for text in ["", "on", "One\ntwo\n"] {
                try writeAtomically(text, to: metrics)
                #expect(verdict() == .badData)
            }
            try FileManager.default.removeItem(atPath: metrics)
            #expect(verdict() == .missingInput)
        }
    }

    /// Whatever is noted of a start must be what a start notes.
    @Test(arguments: ["", "{}", "[1]", "1e400", "\u{0}"]) func aStatusChangedByHandIsRefused(text: String) throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            #expect(try directory.readStatus() == nil)
            _ = try directory.start([.sft], resume: false)
            let status = directory.file("status.json")
            #expect(try directory.start([.sft], resume: true).startsWithoutProgress == 1)
            let right = try String(contentsOfFile: status, encoding: .utf8)
            for count in [-1, 99, Int.max] {
                try writeAtomically(
                    right.replacing(/"starts_without_progress" : 1/, with: "\"starts_without_progress\" : \(count)"),
                    to: status
                )
                #expect(code { _ = try directory.start([.sft], resume: true) } == .badData)
            }
            try writeAtomically(text, to: status)
            #expect(code { _ = try directory.start([.sft], resume: true) } == .badData)
            #expect(code { _ = try directory.start([.sft], resume: false) } == nil)
        }
    }

    @Test func directoriesThatCannotBeMadeAreRefused() throws {
        try withTemporaryDirectory { path in
            try writeAtomically("x", to: path + "/file")
            #expect(code { try createDirectory(path + "/file/run") } == .cannotCreate)
            #expect(code { try writeAtomically("x", to: path + "/nowhere/file") } == .cannotCreate)
        }
    }

    @Test func atomicWritesReplaceAndLeaveNothingBehind() throws {
        try withTemporaryDirectory { path in
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try writeAtomically("old", to: path + "/file")
            try writeAtomically(bytes, to: path + "/file")
            #expect(try readBytes(ofFile: path + "/file") == bytes)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["file"])
            // A link is replaced, not followed.
            try FileManager.default.createSymbolicLink(atPath: path + "/link", withDestinationPath: path + "/file")
            try writeAtomically("new", to: path + "/link")
            #expect(try readBytes(ofFile: path + "/file") == bytes)
        }
    }

    @Test(arguments: [1, 3])
    func everyRankGetsTheSameConfiguration(ranks: Int) throws {
        try withTemporaryDirectory { path in
            try writeAtomically("shards: 3\nrun: { name: \"a b\" }", to: path + "/run.yaml")
            let names = try InProcessGroup.run(ranks: ranks) { communicator in
                let configuration = try loadConfiguration(
                    path + "/run.yaml",
                    overrides: ["run.seed=\(communicator.rank + 5)"],
                    communicator: communicator
                )
                // The root's options count.
                return "\(configuration.run.name) \(configuration.run.seed)"
            }
            #expect(names == Array(repeating: "a b 5", count: ranks))
        }
    }

    @Test func environmentSaysWhatRan() {
        let fields = describeEnvironment(ranks: 2, threads: 3, commandLine: ["maxmin", "run"])
        #expect(fields.object?["ranks"]?.integer == 2)
        #expect(fields.object?["threads_per_rank"]?.integer == 3)
        #expect(fields.object?["cpu"]?.string?.isEmpty == false)
        #expect(fields.object?["kernels"]?.object?["cpu_class"]?.string == CPUClass.current.name)
    }

    /// An id with line breaks, commas, quotes and marks upon them is one row, whatever it pretends to be.
    @Test func groupSharesAreMeanResponsibilities() throws {
        let forged = "b,\nc,1,-2,-1,0.0,1.0\r\nd\"\u{301},\"\",e"
        try withTemporaryDirectory { folder in
            func shares(_ text: String) throws -> [Double] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/x.csv"))
                let table = try AssignmentsTable(path: "\(folder)/x.csv")
                return groupShares(table.responsibilities, groups: table.responsibilities[0].count)
            }
            let users = ["a", forged].map { id in
                UserInfo(ShardedUser(User(id: id, comparisons: []), shard: 0, split: ComparisonSplit()))
            }
            let scores = UserScores(
                members: users,
                foldLogLikelihoods: [[[-1, -2]], [[-2, -1]]],
                assignCorrect: [[], []],
                testCorrect: [[], []],
                testLogLikelihoods: [[], []]
            )
            let text = assignmentsCSV(of: scores, responsibilities: [[1, 0], [0.5, 0.5]])
            #expect(try shares(text) == [0.75, 0.25])
            let table = try CSVReader(path: "\(folder)/x.csv")
            var ids: [String] = []
            while let record = try table.next()?.get() { ids.append(record.fields[0]) }
            #expect(ids.count == 3 && ids[2].utf8.elementsEqual(forged.utf8))
            #expect(throws: Failure.self) { try shares("user_id\n") }
            #expect(throws: Failure.self) { try shares("user_id,group,responsibility_0\na,0,nan\n") }
            #expect(throws: Failure.self) { try shares("user_id,group,responsibility_0\na,b,0,1\n") }
        }
    }
}
