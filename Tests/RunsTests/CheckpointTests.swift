import Collectives
import Failures
import Foundation
import ModelFiles
import Optimizers
import Tensors
import TestSupport
import Testing

@testable import ModelTools
@testable import Runs

@Suite struct CheckpointTests {
    /// A vector that every rank holds whole, one of which each holds a part, and one shorter than the ranks.
    private static let lengths = [("weights", 41), ("moments", 29), ("bias", 1)]

    /// The elements of a vector, different at every step.
    private static func values(_ name: String, step: Int) -> [Float] {
        (0..<(lengths.first { $0.0 == name }?.1 ?? 0)).map { Float($0 * 7 + step) + Float(name.utf8.count) / 8 }
    }

    /// A rank's part of every vector.
    private static func vectors(step: Int?, _ communicator: any Communicator) -> [StateVector] {
        lengths.map { name, length in
            let all = step.map { values(name, step: $0) } ?? Array(repeating: 0, count: length)
            guard name == "moments" else { return StateVector(name, Tensor(all, shape: [length])) }
            // Cut unevenly, unlike the shares that a checkpoint is read back in.
            let cut = { (rank: Int) in rank * rank * length / (communicator.size * communicator.size) }
            let range = cut(communicator.rank)..<cut(communicator.rank + 1)
            return StateVector(
                name,
                part: Tensor(Array(all[range]), shape: [range.count]),
                from: range.lowerBound,
                of: length
            )
        }
    }

    private static func save(
        _ steps: [Int],
        ranks: Int,
        in path: String,
        keep: Int = 2,
        configuration: [String: String] = ["a": "1"]
    ) throws {
        let folder = CheckpointFolder(path: "\(path)/checkpoints/sft")
        _ = try InProcessGroup.run(ranks: ranks) { communicator in
            for step in steps {
                let state = try TrainingState(
                    ["step": Double(step), "inf": .infinity],
                    as: "note",
                    vectors(step: step, communicator)
                )
                let label = CheckpointLabel(
                    training: "sft",
                    step: step,
                    metricsBytes: step * 10,
                    configuration: configuration
                )
                try writeCheckpoint(state, label, in: folder, keep: keep, over: communicator)
            }
        }
    }

    /// The step that ranks find and the elements that they read; nil where there is none.
    private static func load(
        ranks: Int,
        from path: String,
        configuration: [String: String] = ["a": "1"]
    ) throws -> (step: Int, warnings: Int)? {
        let folder = CheckpointFolder(path: "\(path)/checkpoints/sft")
        let found = try InProcessGroup.run(ranks: ranks) { communicator in
            var warnings = 0
            let saved = try newestCheckpoint(in: folder, configuration: configuration, over: communicator) { _ in
                warnings += 1
            }
            guard let saved else { return [Int]() }
            let vectors = vectors(step: nil, communicator)
            try saved.fill(vectors)
            let step = saved.manifest.step
            for vector in vectors {
                let all = values(vector.name, step: step)
                #expect(vector.values.array() == Array(all[vector.start..<vector.start + vector.values.count]))
            }
            #expect(try saved.record("note", as: [String: Double].self) == ["step": Double(step), "inf": .infinity])
            #expect(try saved.record("other", as: Int.self) == nil)
            #expect(saved.manifest.metricsBytes == step * 10)
            return [step, warnings]
        }
        #expect(found.allSatisfy { $0 == found[0] })
        return found[0].isEmpty ? nil : (found[0][0], found[0][1])
    }

    private func failure(_ body: () throws -> Void) -> Failure? {
        do {
            try body()
            return nil
        } catch {
            return error as? Failure
        }
    }

    @Test(arguments: [1, 2, 4, 8], [1, 2, 4, 8])
    func savedOnSomeRanksAndReadOnOthers(savedOn: Int, readOn: Int) throws {
        try withTemporaryDirectory { path in
            try Self.save([3], ranks: savedOn, in: path)
            #expect(try Self.load(ranks: readOn, from: path)?.step == 3)
        }
    }

    @Test func nothingSavedIsNothingFound() throws {
        try withTemporaryDirectory { path in
            let found = try Self.load(ranks: 2, from: path)
            #expect(found == nil)
        }
    }

    @Test func theNewestAreKept() throws {
        try withTemporaryDirectory { path in
            try Self.save([9, 10, 11, 12], ranks: 2, in: path, keep: 3)
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/checkpoints/sft").sorted()
            #expect(names == ["step-10", "step-11", "step-12"])
            // By number, not by name.
            #expect(try Self.load(ranks: 1, from: path)?.step == 12)
        }
    }

    @Test func anExistingStepIsReplaced() throws {
        try withTemporaryDirectory { path in
            try Self.save([5, 6], ranks: 1, in: path)
            try Self.save([6], ranks: 3, in: path)
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(path)/checkpoints/sft").sorted()
            #expect(names == ["step-5", "step-6"])
            #expect(FileManager.default.fileExists(atPath: "\(path)/checkpoints/sft/step-6/part-2.safetensors"))
            #expect(try Self.load(ranks: 1, from: path)?.step == 6)
        }
    }

    @Test func whatAKilledSaveLeftIsPutRight() throws {
        try withTemporaryDirectory { path in
            try Self.save([5, 6], ranks: 1, in: path)
            let folder = "\(path)/checkpoints/sft"
            let files = FileManager.default
            // Killed while writing step 7, and between the two renames that replace step 6.
            try files.copyItem(atPath: "\(folder)/step-5", toPath: "\(folder)/.tmp-step-7-abc")
            try files.moveItem(atPath: "\(folder)/step-6", toPath: "\(folder)/.old-step-6-abc")
            #expect(try Self.load(ranks: 2, from: path)?.step == 6)
            #expect(try files.contentsOfDirectory(atPath: folder).sorted() == ["step-5", "step-6"])
            // Killed after them.
            try files.copyItem(atPath: "\(folder)/step-5", toPath: "\(folder)/.old-step-5-abc")
            #expect(try Self.load(ranks: 2, from: path)?.step == 6)
            #expect(try files.contentsOfDirectory(atPath: folder).sorted() == ["step-5", "step-6"])
        }
    }

    /// Every file of a checkpoint, damaged in turn at many places: each is noticed, and the one before is found.
    @Test func damageIsNoticedAndTheOneBeforeIsTaken() throws {
        try withTemporaryDirectory { path in
            try Self.save([5, 6], ranks: 2, in: path)
            let folder = "\(path)/checkpoints/sft/step-6"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                let file = "\(folder)/\(name)"
                let bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
                let places = Set(stride(from: 0, to: bytes.count, by: max(1, bytes.count / 12)) + [bytes.count - 1])
                for index in places {
                    var damaged = bytes
                    damaged[index] ^= 1 << UInt8(index % 8)
                    try Data(damaged).write(to: URL(filePath: file))
                    let isNoticed = try Self.load(ranks: 1, from: path).map { $0 == (5, 1) } ?? false
                    // White space of the commit record may change without harm; nothing else may.
                    #expect(isNoticed || name == "COMMIT", "bit of byte \(index) of \(name)")
                    try Data(bytes[..<index]).write(to: URL(filePath: file))
                    let isCutNoticed = try Self.load(ranks: 1, from: path).map { $0 == (5, 1) } ?? false
                    #expect(isCutNoticed || (name == "COMMIT" && index == bytes.count - 1), "\(name) cut to \(index)")
                }
                try FileManager.default.removeItem(atPath: file)
                #expect(try Self.load(ranks: 3, from: path)?.step == 5, "without \(name)")
                try Data(bytes).write(to: URL(filePath: file))
                #expect(try Self.load(ranks: 2, from: path)?.step == 6)
            }
        }
    }

    @Test func foreignAndNewerCheckpointsAreDamage() throws {
        try withTemporaryDirectory { path in
            try Self.save([5, 6], ranks: 2, in: path)
            let folder = "\(path)/checkpoints/sft"
            let files = FileManager.default
            // Another step's directory under this name.
            try files.copyItem(atPath: "\(folder)/step-5", toPath: "\(folder)/step-8")
            #expect(try Self.load(ranks: 1, from: path)?.step == 6)
            try files.removeItem(atPath: "\(folder)/step-8")
            func rewrite(_ change: (String) -> String) throws {
                let text = try String(contentsOfFile: "\(folder)/step-6/manifest.json", encoding: .utf8)
                let seal = try writeAtomically(change(text), to: "\(folder)/step-6/manifest.json")
                try writeAtomically(encodedJSON(CommitRecord(manifest: seal)), to: "\(folder)/step-6/COMMIT")
            }
            try rewrite { $0.replacing("\"format\" : 1", with: "\"format\" : 2") }
            #expect(try Self.load(ranks: 1, from: path)?.step == 5)
            try rewrite { $0.replacing("\"format\" : 2", with: "\"format\" : 1") }
            #expect(try Self.load(ranks: 1, from: path)?.step == 6)
            try rewrite { $0.replacing("part-1.safetensors", with: "../step-5/part-1.safetensors") }
            #expect(try Self.load(ranks: 1, from: path)?.step == 5)
        }
    }

    @Test func inspectionTellsWholeFromDamaged() throws {
        try withTemporaryDirectory { path in
            try writeAtomically("shards: 4", to: "\(path)/config.yaml")
            try Self.save([5, 6], ranks: 2, in: path)
            let whole = try inspect("\(path)/checkpoints/sft/step-5", json: false)
            #expect(whole.contains("kind: checkpoint") && whole.contains("moments"))
            try writeAtomically("x", to: "\(path)/checkpoints/sft/step-6/\(recordsFile)")
            #expect(failure { _ = try inspect("\(path)/checkpoints/sft/step-6", json: true) }?.code == .badData)
            let run = try inspect(path, json: true)
            #expect(run.contains(#""step": 5, "whole": true"#) && run.contains(#""step": 6, "whole": false"#))
        }
    }

    @Test func noGoodOneIsAnError() throws {
        try withTemporaryDirectory { path in
            try Self.save([5, 6], ranks: 1, in: path)
            for step in [5, 6] {
                try FileManager.default.removeItem(atPath: "\(path)/checkpoints/sft/step-\(step)/COMMIT")
            }
            #expect(failure { _ = try Self.load(ranks: 2, from: path) }?.code == .badData)
        }
    }

    @Test func anotherConfigurationIsRefusedWithItsKeys() throws {
        try withTemporaryDirectory { path in
            try Self.save([5], ranks: 1, in: path, configuration: ["sft.steps": "5", "shards": "8", "same": "1"])
            let refusal = failure {
                _ = try Self.load(ranks: 2, from: path, configuration: ["sft.steps": "6", "shards": "8", "same": "1"])
            }
            #expect(refusal?.code == .configuration)
            #expect(refusal?.message.contains("sft.steps was 5, is 6") == true)
            #expect(refusal?.message.contains("shards") == false)
        }
    }

    @Test func aFailedSaveLeavesTheOldOnesAndNothingElse() throws {
        try withTemporaryDirectory { path in
            try Self.save([5, 6], ranks: 2, in: path)
            let folder = CheckpointFolder(path: "\(path)/checkpoints/sft")
            let failures = try InProcessGroup.run(ranks: 2) { communicator in
                // Only one rank's parts do not fit together with the others'.
                let start = communicator.rank == 1 ? 3 : 0
                let state = TrainingState([StateVector("half", part: Tensor(zeros: [2]), from: start, of: 5)])
                let label = CheckpointLabel(training: "sft", step: 7, metricsBytes: 0, configuration: [:])
                do {
                    try writeCheckpoint(state, label, in: folder, keep: 2, over: communicator)
                    return Int32(0)
                } catch {
                    return (error as? Failure)?.code.rawValue ?? -1
                }
            }
            #expect(failures == [70, 70])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["step-5", "step-6"])
        }
    }

    @Test func tooSmallADiskIsRefusedWithBothNumbers() throws {
        let refusal = failure { try requireFreeSpace(Int.max, at: "/tmp") }
        #expect(refusal?.code == .inputOutput && refusal?.message.contains("\(Int.max) bytes") == true)
        #expect(failure { try requireFreeSpace(1, at: "/tmp") } == nil)
    }
}
