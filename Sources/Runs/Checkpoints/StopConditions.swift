import Collectives
package import Foundation

/// What may end a run before it is done, at the next step boundary and with a checkpoint.
package struct StopConditions: Sendable {
    /// Whether this process was asked to stop, as by a signal; ranks need not be asked alike.
    package var isAsked: @Sendable () throws -> Bool = { false }
    /// When the run must have ended, as by the limit of its batch job.
    package var deadline: Date?

    /// Nothing ends the run.
    package init() {}
}

/// Thrown on every rank at the boundary where a run stops; it can be resumed from there.
struct Stopped: Error {
    /// `asked to`, or the limit that is near.
    let reason: String
}

extension StopConditions {
    /// Whether less time is left than saving and another step take.
    ///
    /// Both are taken half as long again as they were so far.
    func isTimeUp(at now: Date, saveSeconds: Double, stepSeconds: Double) -> Bool {
        guard let deadline else { return false }
        return deadline.timeIntervalSince(now) < 1.5 * (saveSeconds + stepSeconds)
    }
}

extension RunContext {
    /// Throws `Stopped` on every rank where any was asked to stop; between stages nothing needs saving.
    func stopIfAsked(before stage: Stage) throws {
        var wishes = [try stop.isAsked() || stop.isTimeUp(at: .now, saveSeconds: 0, stepSeconds: 0) ? 1.0 : 0]
        try communicator.allReduceMax(&wishes)
        if wishes[0] > 0 { throw Stopped(reason: "asked to stop before the stage \(stage.rawValue)") }
    }
}
