package import Collectives
internal import Failures
internal import Foundation
internal import ModelFiles
package import Reporting
internal import StrictJSON
internal import Tensors

/// What the command line asks of a run.
package struct RunRequest: Sendable {
    /// Path of the configuration file.
    package var configuration: String
    /// `--set` options.
    package var overrides: [String] = []
    /// The stages to do; nil: those that the configuration names.
    package var stages: [Stage]?
    /// Whether results of these stages may be replaced.
    package var overwrite = false
    /// Threads of this rank where the configuration leaves it open.
    package var suggestedThreads = 1
    /// As typed, for the record.
    package var commandLine: [String] = []

    /// A request with nothing but a configuration.
    package init(configuration: String) { self.configuration = configuration }
}

/// A stage that was done and how long it took.
package struct FinishedStage: Equatable, Sendable {
    package let stage: Stage
    package let seconds: Double
}

/// Does the stages of a run, on every rank of `communicator`, and gives how long each took.
///
/// The configuration, the run directory and the stages to do are checked before anything is loaded.
package func runStages(
    _ request: RunRequest,
    communicator: any Communicator,
    progress: ProgressMeter
) throws -> (configuration: Configuration, finished: [FinishedStage]) {
    let configuration = try loadConfiguration(
        request.configuration,
        overrides: request.overrides,
        communicator: communicator
    )
    let wanted = request.stages ?? configuration.run.stages
    let chosen = recipes.filter { wanted.contains($0.stage) }
    let directory = RunDirectory(path: configuration.run.directory)
    let threads = configuration.run.threads == 0 ? request.suggestedThreads : configuration.run.threads
    KernelThreads.set(threads)
    if communicator.rank == 0 {
        try prepareDirectory(directory, for: wanted, overwrite: request.overwrite)
        try writeAtomically(configuration.effectiveYAML, to: directory.file("config.yaml"))
        let environment = describeEnvironment(
            ranks: communicator.size,
            threads: threads,
            commandLine: request.commandLine
        )
        try writeAtomically(environment.encoded(pretty: true), to: directory.file("environment.json"))
    }
    try communicator.barrier()

    let context = RunContext(
        configuration: configuration,
        directory: directory,
        communicator: communicator,
        progress: progress,
        metrics: try MetricsWriter(appendingTo: communicator.rank == 0 ? directory.file("metrics.jsonl") : nil)
    )
    var finished: [FinishedStage] = []
    for (stage, body) in chosen {
        let start = ContinuousClock.now
        try body(context)
        // No rank may look for the note before the root has made it, nor the root make it before all are done.
        try communicator.barrier()
        try context.onRoot { try directory.complete(stage) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        finished.append(FinishedStage(stage: stage, seconds: seconds))
        progress.say("\(stage.rawValue): done in \(seconds.formatted(decimals: 1)) s")
    }
    return (configuration, finished)
}

/// A finished run as one JSON object on one line, for `--json`.
package func summary(of configuration: Configuration, _ finished: [FinishedStage]) -> String {
    let stages = finished.map { stage -> JSONValue in
        ["stage": .string(stage.stage.rawValue), "seconds": .number(stage.seconds)]
    }
    let object: JSONValue = [
        "run": .string(configuration.run.name), "directory": .string(configuration.run.directory),
        "stages": .array(stages),
    ]
    return object.encoded()
}
