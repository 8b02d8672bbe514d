package import Failures
import Foundation
package import ModelFiles
import StrictJSON

/// The directory that holds everything a run makes, and which of its stages are complete.
package struct RunDirectory: Equatable, Sendable {
    /// As the configuration gives it.
    package let path: String

    /// The directory at a path.
    package init(path: String) { self.path = path }

    /// The path of a file or folder of the run.
    package func file(_ relative: String) -> String { "\(path)/\(relative)" }

    /// The path of something that an earlier stage made.
    ///
    /// - Throws: `Failure` 66 naming it and the stage that makes it, where it is missing or that stage did not finish.
    package func require(_ relative: String, madeBy stage: Stage) throws(Failure) -> String {
        guard isComplete(stage), FileManager.default.fileExists(atPath: file(relative)) else {
            throw Failure(
                .missingInput,
                "is not there or not complete; the stage \(stage.rawValue) makes it: run that first",
                at: file(relative)
            )
        }
        return file(relative)
    }

    /// Whether a stage ran to its end and nothing before it was done again since.
    package func isComplete(_ stage: Stage) -> Bool { FileManager.default.fileExists(atPath: marker(stage)) }

    /// Makes a folder of the run, and the folders above it.
    package func makeFolder(_ relative: String) throws(Failure) {
        try createDirectory(file(relative))
    }

    /// Where the end of a stage is noted.
    package func marker(_ stage: Stage) -> String { file("completed/\(stage.rawValue)") }

    /// Notes that a stage ran to its end; its checkpoints go.
    package func complete(_ stage: Stage, _ note: CompletionNote = CompletionNote()) throws {
        try createDirectory(file("completed"))
        try writeAtomically(encodedJSON(note), to: marker(stage))
        try removeIfThere("checkpoints/\(stage.rawValue)")
    }

    /// What was noted at the end of a stage.
    package func completion(of stage: Stage) throws(Failure) -> CompletionNote {
        try CompletionNote(contentsOf: marker(stage))
    }

    /// The checkpoints of a training: of a stage, or a part of one.
    package func checkpoints(of training: String) -> CheckpointFolder {
        CheckpointFolder(path: file("checkpoints/\(training)"))
    }

    /// Notes that a part of a stage was trained and written; its checkpoints go.
    package func finish(_ training: String, _ note: CompletionNote) throws {
        let folder = checkpoints(of: training)
        try createDirectory(folder.path)
        try writeAtomically(encodedJSON(note), to: finishMarker(training))
        for step in try folder.steps() { try removeIfThere("checkpoints/\(training)/step-\(step)") }
    }

    /// Whether a part of a stage was trained and written.
    package func isFinished(_ training: String) -> Bool {
        FileManager.default.fileExists(atPath: finishMarker(training))
    }

    /// What was noted at the end of a part of a stage.
    package func completion(of training: String) throws(Failure) -> CompletionNote {
        try CompletionNote(contentsOf: finishMarker(training))
    }

    /// What is to be noted of results that are written now.
    ///
    /// - Parameter metricsBytes: length of `metrics.jsonl`.
    package func note(of outputs: [String], configuration: [String: String], metricsBytes: Int) throws(Failure)
        -> CompletionNote
    {
        let metrics = file("metrics.jsonl")
        return CompletionNote(
            metrics: metricsBytes == 0 ? FileSeal(of: []) : try FileSeal(reading: metrics, upTo: metricsBytes),
            configuration: configuration,
            files: try seals(of: outputs)
        )
    }

    /// Length of `metrics.jsonl` at the end of the last stage, or part of one, that ended.
    package func completedMetrics() throws(Failure) -> Int {
        var length = 0
        for stage in Stage.allCases where isComplete(stage) {
            length = max(length, try completion(of: stage).metrics.bytes)
        }
        for training in trainings where isFinished(training) {
            length = max(length, try completion(of: training).metrics.bytes)
        }
        return length
    }

    private func finishMarker(_ training: String) -> String { file("checkpoints/\(training)/finished.json") }

    private func removeIfThere(_ relative: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: file(relative)) else { return }
        do {
            try FileManager.default.removeItem(atPath: file(relative))
        } catch {
            throw Failure(.inputOutput, "cannot be removed: \(error.localizedDescription)", at: file(relative))
        }
    }
}

/// What is noted where a stage, or a part of one, has ended.
package struct CompletionNote: Codable, Equatable {
    /// `metrics.jsonl` as it was then.
    package var metrics = FileSeal(of: [])
    /// What the result depends on (`resultKeys`).
    package var configuration: [String: String] = [:]
    /// The files of the result, by their paths in the run directory.
    package var files: [String: FileSeal] = [:]
    /// What a stage took; nil of a part of one.
    package var cost: StageCost?
}

/// What a stage took.
package struct StageCost: Codable, Equatable {
    package let seconds: Double
    /// Largest resident set of a rank in the stage, what it shares with others included.
    package let peakBytes: Int
    /// What was predicted, where it was.
    package let plannedBytes: Int?

    package enum CodingKeys: String, CodingKey {
        case seconds
        case peakBytes = "peak_bytes"
        case plannedBytes = "planned_bytes"
    }
}

extension CompletionNote {
    fileprivate init(contentsOf path: String) throws(Failure) {
        let bytes = try readBytes(ofFile: path)
        do {
            self = try JSONDecoder().decode(CompletionNote.self, from: Data(bytes))
        } catch {
            throw Failure(
                .badData,
                "is not what this version of the program notes; use --overwrite to do the stage again",
                at: path
            )
        }
        guard metrics.bytes >= 0, files.values.allSatisfy({ $0.bytes >= 0 }) else {
            throw Failure(.badData, "has a file of fewer than no bytes", at: path)
        }
    }
}

/// Makes a directory and those above it.
package func createDirectory(_ path: String) throws(Failure) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        let code: ExitCode =
            (error as? CocoaError)?.code == .fileWriteNoPermission ? .permission : .cannotCreate
        throw Failure(code, "cannot create this directory; choose another run.directory", at: path)
    }
}
