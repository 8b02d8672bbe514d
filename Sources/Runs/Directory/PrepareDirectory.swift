import Failures
import Foundation
import ModelFiles
import StrictJSON

/// Makes the run directory ready for `stages`, on the root, before any model is loaded.
///
/// A directory that holds none of these stages' results is used as it is, so that each stage may run alone after the
/// earlier ones. Where some are there, `overwrite` clears them and everything made from them, `resume` keeps them and
/// clears only what was made from stages that are not complete, and without either this throws. What a killed run left
/// of files that it was writing goes.
///
/// - Throws: `Failure` 78 where the directory holds something else or these stages' results; 73, 74 or 77 where it
///   cannot be made or written.
func prepareDirectory(
    _ directory: RunDirectory,
    for stages: [Stage],
    overwrite: Bool,
    resume: Bool = false
) throws(Failure) {
    let files = FileManager.default
    try refuseForeignDirectory(directory)
    let found = stages.filter { stage in stage.outputs.contains { files.fileExists(atPath: directory.file($0)) } }
    if let stage = found.first, !overwrite && !resume {
        throw Failure(
            .configuration,
            "already holds results of the stage \(stage.rawValue); "
                + "use --resume to go on, --overwrite to replace them, or another run.directory",
            at: directory.path
        )
    }
    try removeTemporaryFiles(below: directory.path)
    if resume {
        let open = stages.filter { !directory.isComplete($0) }.map(\.position).min() ?? Stage.allCases.count
        return try clear(Stage.allCases.filter { $0.position > open }, in: directory)
    }
    guard let first = stages.min(by: { $0.position < $1.position }) else { return }
    try clear(Stage.allCases.filter { $0.position >= first.position }, in: directory)
}

/// Removes all that stages made.
private func clear(_ stages: [Stage], in directory: RunDirectory) throws(Failure) {
    try dropMetrics(of: stages, in: directory.file("metrics.jsonl"))
    for stage in stages {
        for relative in stage.outputs + ["completed/\(stage.rawValue)"] {
            let path = directory.file(relative)
            guard FileManager.default.fileExists(atPath: path) else { continue }
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw Failure(.inputOutput, "cannot be removed", at: path)
            }
        }
    }
}

/// Makes the run directory where it is not there, and refuses one that holds something else than a run.
func refuseForeignDirectory(_ directory: RunDirectory) throws(Failure) {
    try createDirectory(directory.path)
    let contents = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
    // A run that is killed at once leaves its lock alone.
    let others = contents.filter { !$0.hasPrefix(RunLock.name) && !$0.hasPrefix(".\(RunLock.name)") }
    guard others.isEmpty || contents.contains("config.yaml") else {
        throw Failure(
            .configuration,
            "is not empty and is no run directory; choose another run.directory",
            at: directory.path
        )
    }
}

/// Takes the lines of `stages` out of a metrics file, and with them a line that a killed run left unfinished.
private func dropMetrics(of stages: [Stage], in path: String) throws(Failure) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let lines = try readBytes(ofFile: path).split(separator: UInt8(ascii: "\n"))
    let kept = lines.filter { line in
        let name = try? JSONValue(parsing: Array(line), at: path).object?["stage"]?.string
        return Stage.allCases.contains { $0.rawValue == name && !stages.contains($0) }
    }
    guard kept.count < lines.count else { return }
    try writeAtomically(kept.flatMap { $0 + [UInt8(ascii: "\n")] }, to: path)
}
