package import Collectives
import Failures
import Foundation
import ModelFiles
package import Reporting
import StrictJSON
import Tensors
package import Watching

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
    /// Whether complete stages are skipped and the one under way goes on from its last checkpoint; a new run just
    /// starts.
    package var resume = false
    /// What may end the run before it is done.
    package var stop = StopConditions()
    /// Threads of this rank where the configuration leaves it open.
    package var suggestedThreads = 1
    /// How many CPUs this rank has for itself, where that is known.
    package var cpus: Double?
    /// How many ranks share this one's node.
    package var ranksOnNode = 1
    /// The fault that a test asks for.
    package var fault: Fault?
    /// As typed, for the record.
    package var commandLine: [String] = []

    /// A request with nothing but a configuration.
    package init(configuration: String) { self.configuration = configuration }
}

/// A stage that was done, how long it took, and what memory.
package struct FinishedStage: Equatable, Sendable {
    package let stage: Stage
    package let seconds: Double
    /// Largest resident set of a rank in the stage, what it shares with others included.
    package let peakBytes: Int
    /// What was predicted; nil where nothing was, and on other ranks than the root.
    package let plannedBytes: Int?

    /// As in "reward: done in 155.1 s, a rank took 238 of 246 predicted MiB, about 2 min left of the run".
    func closingLine(timeLeft: String?) -> String {
        let forecast = plannedBytes.map { " of \(mebibytes($0)) predicted" } ?? ""
        let took = "a rank took \(mebibytes(peakBytes))\(forecast) MiB"
        let left = timeLeft.map { ", \($0) left of the run" } ?? ""
        return "\(stage.rawValue): done in \(seconds.formatted(decimals: 1)) s, \(took)\(left)"
    }
}

/// What a run did.
package struct RunOutcome: Sendable {
    package let configuration: Configuration
    /// The stages that were done now, in order.
    package let finished: [FinishedStage]
    /// Whether it stopped before its end, with a checkpoint to resume from.
    package let isStopped: Bool
}

/// Does the stages of a run, on every rank of `communicator`, and gives how long each took.
///
/// The configuration, the run directory and the stages to do are checked before anything is loaded. `status.json` tells
/// how it ended, whatever happens.
package func runStages(
    _ request: RunRequest,
    communicator: any Communicator,
    progress: ProgressMeter
) throws -> RunOutcome {
    try watching(communicator, fault: request.fault) { watched in
        try doStages(request, communicator: watched, progress: progress)
    }
}

/// What the root tells all ranks once the run directory is this run's.
private struct RunStart: Codable {
    var status: RunStatus
    /// What MPI left of an earlier run in this directory that was killed.
    var leftovers: [MPIFile]
}

private func doStages(
    _ request: RunRequest,
    communicator: WatchedCommunicator,
    progress: ProgressMeter
) throws -> RunOutcome {
    let configuration = try loadConfiguration(
        request.configuration,
        overrides: request.overrides,
        communicator: communicator
    )
    configuration.literalTildes.forEach(progress.say)
    let wanted = request.stages ?? configuration.run.stages
    let directory = RunDirectory(path: configuration.run.directory)
    let threads = configuration.run.threads == 0 ? request.suggestedThreads : configuration.run.threads
    try useThreads(threads)
    // Complete stages are not done again.
    let open = wanted.filter { !request.resume || !directory.isComplete($0) }
    // The others wait below for the end that a refusal brings.
    if communicator.rank == 0 { try requireInputs(of: open, in: configuration) }
    try requireEqualRanks(
        rankTraits(configuration, request, transport: communicator.transport),
        communicator: communicator
    )
    let (plan, samplingBytes) = try requireMemory(
        for: open,
        of: configuration,
        ranksOnNode: request.ranksOnNode,
        communicator: communicator,
        progress: progress
    )
    try warnIfOversubscribed(threads: threads, cpus: request.cpus, communicator: communicator, progress: progress)
    for waiting in configuration.waitingRanks(communicator.size, in: open) { progress.say(waiting.warning) }
    progress.say(describeKernels())
    warnOfOldKernels(progress: progress)
    let told = RankFolder(path: directory.file("watchdog"))
    var lock: RunLock?
    defer { lock?.release() }
    _ = try communicator.broadcast(agreeing: {
        try refuseForeignDirectory(directory)
        lock = try RunLock(directory: directory.path)
        return []
    })
    try requireUnchanged(before: open, resume: request.resume, in: directory, over: communicator)
    let started = try communicator.broadcast(agreeing: {
        try prepareDirectory(directory, for: wanted, overwrite: request.overwrite, resume: request.resume)
        if request.resume { try refuseOtherConfiguration(of: wanted, in: directory, than: configuration) }
        let status = try directory.start(wanted, resume: request.resume)
        let leftovers = told.mpiFiles()
        try told.clear()
        try writeAtomically(configuration.effectiveYAML, to: directory.file("config.yaml"))
        let environment = describeEnvironment(
            ranks: communicator.size,
            threads: threads,
            commandLine: request.commandLine
        )
        try writeAtomically(environment.encoded(pretty: true), to: directory.file("environment.json"))
        return try encodedJSON(RunStart(status: status, leftovers: leftovers))
    })
    let start = try JSONDecoder().decode(RunStart.self, from: Data(started))
    for file in start.leftovers { file.remove() }
    communicator.watch(configuration.run.deadlines, reportingTo: told, heartbeat: { [lock] in lock?.beat() }) { line in
        try? directory.write(start.status.ended(.failed, code: .watchdog, line))
    }

    // Events that no run goes on with would tell of another one.
    if communicator.rank == 0, !configuration.run.tensorboard {
        try? FileManager.default.removeItem(atPath: directory.file("tensorboard"))
    }
    let context = RunContext(
        configuration: configuration,
        directory: directory,
        communicator: communicator,
        progress: progress,
        metrics: try MetricsWriter(
            appendingTo: communicator.rank == 0 ? directory.file("metrics.jsonl") : nil,
            tensorBoard: configuration.run.tensorboard ? directory.file("tensorboard") : nil
        ),
        samplingBytes: samplingBytes,
        resumes: request.resume,
        stop: request.stop
    )
    var finished: [FinishedStage] = []
    var timeLeft = plan.flatMap { TimeLeft($0.planner, stages: open) }
    do {
        for (stage, body) in recipes where wanted.contains(stage) {
            if request.resume, try context.shared({ directory.isComplete(stage) }) {
                progress.say("\(stage.rawValue): done before")
                continue
            }
            try context.stopIfAsked(before: stage)
            communicator.begin(stage: stage.rawValue)
            let planned = plan?.stages.first { $0.stage == stage }?.bytesPerRank
            let done = try perform(stage, body, context, planned: planned)
            finished.append(done)
            timeLeft?.finish(stage, seconds: done.seconds)
            progress.say(done.closingLine(timeLeft: timeLeft?.text))
        }
        try communicator.enter(.finalize, step: 0)
        try context.onRoot { try directory.write(start.status.ended(.done, code: .done)) }
        try communicator.endWatch(reportingTo: told)
        return RunOutcome(configuration: configuration, finished: finished, isStopped: false)
    } catch let stopped as Stopped {
        progress.say("\(configuration.run.name): \(stopped.reason); go on with --resume")
        try context.onRoot { try directory.write(start.status.ended(.stopped, code: .resumable, stopped.reason)) }
        try communicator.endWatch(reportingTo: told)
        return RunOutcome(configuration: configuration, finished: finished, isStopped: true)
    } catch {
        // Any rank may be the one that knows; the error counts, not whether it could be noted.
        let code = (error as? Failure)?.code ?? .internalError
        try? directory.write(start.status.ended(.failed, code: code, "\(error)"))
        throw error
    }
}

/// Does one stage and notes that it is complete.
private func perform(
    _ stage: Stage,
    _ body: (RunContext) throws -> Void,
    _ run: RunContext,
    planned: Int?
) throws -> FinishedStage {
    releaseFreedMemory()
    forgetPeakMemory()
    let start = ContinuousClock.now
    try run.communicator.enter(.load, step: 0)
    try body(run)
    try run.communicator.enter(.commit, step: 0)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    var peak = [Double(peakMemory())]
    // No rank may look for the note before the root has made it, nor the root make it before all are done.
    try run.communicator.allReduceMax(&peak)
    let metrics = try run.metrics.synchronize()
    try run.onRoot {
        var note = try run.directory.note(
            of: stage.outputs.filter { !$0.hasPrefix("checkpoints/") },
            configuration: run.configuration.resultKeys(upTo: stage),
            metricsBytes: metrics
        )
        note.cost = StageCost(seconds: seconds, peakBytes: Int(peak[0]), plannedBytes: planned)
        try run.directory.complete(stage, note)
    }
    return FinishedStage(stage: stage, seconds: seconds, peakBytes: Int(peak[0]), plannedBytes: planned)
}

/// Throws where complete stages, which resuming would skip, were done with another configuration.
private func refuseOtherConfiguration(
    of stages: [Stage],
    in directory: RunDirectory,
    than configuration: Configuration
) throws(Failure) {
    for stage in stages where directory.isComplete(stage) {
        let theirs = try directory.completion(of: stage).configuration
        try refuseOtherConfiguration(theirs, than: configuration.resultKeys(upTo: stage), at: directory.marker(stage))
    }
}

/// A finished run as one JSON object on one line, for `--json`.
package func summary(of outcome: RunOutcome) -> String {
    let stages = outcome.finished.map { stage -> JSONValue in
        [
            "stage": .string(stage.stage.rawValue), "seconds": .number(stage.seconds),
            "peak_bytes": .integer(stage.peakBytes),
            "planned_bytes": stage.plannedBytes.map(JSONValue.integer) ?? .null,
        ]
    }
    let object: JSONValue = [
        "run": .string(outcome.configuration.run.name),
        "directory": .string(outcome.configuration.run.directory),
        "stages": .array(stages), "stopped": .bool(outcome.isStopped),
    ]
    return object.encoded()
}

/// What each stage does, in order.
let recipes: [(stage: Stage, body: @Sendable (RunContext) throws -> Void)] = [
    (.sft, runSFT), (.simulate, runSimulate), (.reward, runReward), (.calibrate, runCalibrate), (.policy, runPolicy),
    (.evaluate, runEvaluate), (.report, runReport),
]
