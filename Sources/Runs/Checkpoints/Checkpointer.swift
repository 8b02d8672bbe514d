import Collectives
import Failures
import Foundation
import Optimizers
import Reporting
import Tensors

/// Bytes a second that a save is taken to write on each rank before one has been timed.
private let assumedSaveRate = 100e6

/// Saves one training of a run at its step boundaries, as often as the configuration says, and finds what was saved.
///
/// All ranks make the same calls and take the same decisions.
final class Checkpointer {
    /// What to go on from; nil: from the beginning.
    let saved: Checkpoint?

    private let run: RunContext
    private let training: String
    private let folder: CheckpointFolder
    private let configuration: [String: String]
    /// Step boundaries passed.
    private(set) var step: Int
    private var lastSave = Date()
    private var lastSavedStep: Int
    private var lastBoundary = Date()
    private var longestStep = 0.0
    private var saveSeconds: Double?

    /// Looks for a checkpoint where the run resumes, and cuts the metrics to it.
    ///
    /// - Throws: `Failure` 65 where all checkpoints are damaged, 78 where the configuration is not theirs.
    init(_ run: RunContext, training: String, stage: Stage) throws {
        self.run = run
        self.training = training
        folder = run.directory.checkpoints(of: training)
        configuration = try run.shared { try run.configuration.resultKeys(upTo: stage) }
        saved =
            try run.resumes
            ? newestCheckpoint(in: folder, configuration: configuration, over: run.communicator, warn: run.progress.say)
            : nil
        step = saved?.manifest.step ?? 0
        lastSavedStep = step
        if run.resumes, run.isRoot {
            try run.metrics.cut(to: saved?.manifest.metricsBytes ?? run.directory.completedMetrics())
        }
        if saved != nil { run.progress.say("\(training): goes on from the checkpoint of step \(step)") }
    }

    /// To be called at every step boundary, when the step's metrics are written: saves where it is time to, and throws
    /// `Stopped` where the run is to stop.
    ///
    /// - Parameter isGood: whether the state is worth going on from; one that is not is never saved, and the step is
    ///   done again.
    func atBoundary(isGood: Bool = true, _ state: @escaping () throws -> TrainingState) throws {
        step += 1
        let now = Date()
        longestStep = max(longestStep, now.timeIntervalSince(lastBoundary))
        if saveSeconds == nil { saveSeconds = try preflight(state()) }
        let isTimeUp = run.stop.isTimeUp(at: now, saveSeconds: saveSeconds ?? 0, stepSeconds: longestStep)
        // Signals and clocks differ between ranks: one that must stop stops all, and the root's clock says when to
        // save.
        var wishes = [try run.stop.isAsked() ? 1.0 : 0, isTimeUp ? 1 : 0, run.isRoot && isSaveDue(now) ? 1 : 0]
        try run.communicator.allReduceMax(&wishes)
        let reason = wishes[0] > 0 ? "asked to stop" : wishes[1] > 0 ? "its time is nearly up" : nil
        if isGood, reason != nil || wishes[2] > 0 { try save(state()) }
        if let reason { throw Stopped(reason: "\(reason) at step \(step) of \(training)") }
        lastBoundary = Date()
    }

    /// Notes that the training has ended and its result is written, in the folder of the same name; its checkpoints go.
    func finish() throws {
        let metrics = try run.metrics.synchronize()
        try run.onRoot {
            let note = try run.directory.note(of: [training], configuration: configuration, metricsBytes: metrics)
            try run.directory.finish(training, note)
        }
    }

    private func isSaveDue(_ now: Date) -> Bool {
        if let steps = run.configuration.run.saveEverySteps, step - lastSavedStep >= steps { return true }
        guard let minutes = run.configuration.run.saveEveryMinutes else { return false }
        return now.timeIntervalSince(lastSave) >= 60 * minutes
    }

    private func save(_ state: TrainingState) throws {
        let started = Date()
        let whole = state.vectors.filter(\.isReplicated)
        let parts = state.vectors.filter { !$0.isReplicated }
        try run.requireGood(whole.map(\.values) + state.replicas, parts: parts.map(\.values), step: step)
        let label = CheckpointLabel(
            training: training,
            step: step,
            metricsBytes: try run.metrics.synchronize(),
            configuration: configuration
        )
        try writeCheckpoint(
            state,
            label,
            in: folder,
            keep: run.configuration.run.keepCheckpoints,
            over: run.communicator
        )
        lastSave = Date()
        lastSavedStep = step
        let seconds = lastSave.timeIntervalSince(started)
        saveSeconds = max(seconds, saveSeconds ?? 0)
        run.progress.say("\(training): saved step \(step) in \(seconds.formatted(decimals: 2)) s")
    }

    /// Throws where the disk cannot take the checkpoints that are to be kept, and the one that is being written; gives
    /// how many seconds a save may take.
    private func preflight(_ state: TrainingState) throws -> Double {
        // Records are small beside the vectors.
        let bytes = state.vectorBytes
        _ = try run.communicator.broadcast(agreeing: {
            let missing = try run.configuration.run.keepCheckpoints + 1 - folder.steps().count
            try requireFreeSpace(max(1, missing) * bytes, at: run.directory.path)
            return []
        })
        return Double(bytes) / Double(run.communicator.size) / assumedSaveRate
    }
}
