import Failures
import Foundation
import ModelFiles
import Reporting
import StrictJSON

/// What a run's metrics may be written as for other programs.
package enum ExportFormat: String, CaseIterable, Sendable {
    /// A table for each stage.
    case csv
    /// A file store of MLflow.
    case mlflow

    /// The folder in the run directory where it goes unless another is given.
    package var folder: String { self == .csv ? "csv" : "mlruns" }
}

/// Writes the metrics of a run for other programs; gives the folder and how many files it has.
///
/// - Parameters:
///   - folder: where to; nil: in the run directory.
///   - overwrite: whether the folder may be there already; files of the same names are then replaced, and an MLflow
///     store is written anew.
/// - Throws: `Failure` where `run` is no run directory or has no metrics, or the folder is there.
package func exportRun(_ run: String, as format: ExportFormat, to folder: String?, overwrite: Bool) throws -> (
    folder: String, files: Int
) {
    let directory = RunDirectory(path: run)
    let configuration = try directory.configuration()
    var record = ReportedRun(name: configuration.run.name, directory: run, configuration: configuration.effectiveYAML)
    record.keys = configuration.values
    record.metrics = try MetricsTable(contentsOfFile: directory.file("metrics.jsonl"))
    guard !record.metrics.parts.isEmpty else {
        throw Failure(.missingInput, "has no metrics yet", at: directory.file("metrics.jsonl"))
    }
    let folder = folder ?? directory.file(format.folder)
    let isThere = (try? FileManager.default.contentsOfDirectory(atPath: folder).isEmpty == false) ?? false
    guard overwrite || !isThere else {
        throw Failure(.cannotCreate, "is there already; use --overwrite, or give another --out", at: folder)
    }
    let files: [(path: String, text: String)]
    switch format {
    case .csv:
        files = try record.metrics.csvFiles().map { ($0.name, $0.text) }
    case .mlflow:
        let absolute = URL(filePath: folder, directoryHint: .notDirectory).standardizedFileURL
        files = try mlflowFiles(record, folder: absolute.path(percentEncoded: false), start: started(directory))
        if isThere { try removeStore(folder) }
    }
    for (path, text) in files {
        try createDirectory(URL(filePath: "\(folder)/\(path)").deletingLastPathComponent().path(percentEncoded: false))
        try writeAtomically(text, to: "\(folder)/\(path)")
    }
    return (folder, files.count)
}

/// When the run was started last, as `environment.json` has it.
private func started(_ directory: RunDirectory) throws -> Date {
    let path = directory.file("environment.json")
    let text = try JSONFields(JSONValue(contentsOfFile: path), at: path).string("started")
    guard let date = try? Date(text, strategy: .iso8601) else {
        throw Failure(.badData, "'started' is no time: \(text)", at: path)
    }
    return date
}

/// Removes the experiment that an earlier export wrote; a folder that holds anything else is refused.
private func removeStore(_ folder: String) throws {
    guard FileManager.default.fileExists(atPath: "\(folder)/1/tags/maxmin.export") else {
        throw Failure(.cannotCreate, "holds something else than an export; give another --out", at: folder)
    }
    try FileManager.default.removeItem(atPath: "\(folder)/1")
}
