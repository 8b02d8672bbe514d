import Failures
import Foundation
import ModelFiles
import Reporting
import RewardMixture
import StrictJSON

/// Writes `report.html`: what every stage that was done found, as words, charts, tables and samples.
func runReport(_ run: RunContext) throws {
    try run.onRoot {
        try requireUnchangedMetrics(in: run.directory)
        let record = try ReportedRun(
            of: run.directory,
            configuration: run.configuration
        )
        try writeAtomically(htmlReport(record), to: run.directory.file("report.html"))
        run.progress.say("report: \(run.directory.file("report.html"))")
    }
}

extension ReportedRun {
    /// Reads what the stages of a run left; what is not complete is left out.
    ///
    /// - Throws: `Failure` where no stage is complete, or a file is not as a stage writes it.
    init(of directory: RunDirectory, configuration: Configuration) throws {
        self.init(
            name: configuration.run.name,
            directory: directory.path,
            configuration: configuration.effectiveYAML
        )
        keys = configuration.values
        guard Stage.allCases.contains(where: { $0 != .report && directory.isComplete($0) }) else {
            throw Failure(.missingInput, "holds no finished stage; do one with `maxmin run`", at: directory.path)
        }
        func fields(_ relative: String) throws(Failure) -> JSONFields? {
            let path = directory.file(relative)
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            return try JSONFields(JSONValue(contentsOfFile: path), at: path)
        }
        environment = try fields("environment.json")
        if directory.isComplete(.reward) {
            mixture = try fields("reward/mixture.json")
            responsibilities = try fields("reward/responsibilities.json")
            // The paper's way leaves no comparison unseen that a diagnosis could be of.
            if let earlier = try configuration.reward.mixture.paper ? nil : earlierBuild(of: directory) {
                undiagnosed = earlier.description
            } else if !configuration.reward.mixture.paper {
                let found = try Diagnosis(of: directory)
                let file = directory.file("reward/diagnosis.json")
                diagnosis = (found.lines, try JSONFields(.object(found.json), at: file))
            }
        }
        if directory.isComplete(.evaluate) { evaluation = try fields("evaluation.json") }
        let lines = directory.file("metrics.jsonl")
        if FileManager.default.fileExists(atPath: lines) { metrics = try MetricsTable(contentsOfFile: lines) }
        for stage in Stage.allCases where directory.isComplete(stage) && stage != .report {
            let cost = try directory.completion(of: stage).cost
            stages.append(
                DoneStage(
                    name: stage.rawValue,
                    seconds: cost?.seconds,
                    peakBytes: cost?.peakBytes,
                    plannedBytes: cost?.plannedBytes
                )
            )
        }
    }
}
