import Collectives
import Foundation
import Synchronization

/// What this rank does, written by the thread that works and read by the one that watches.
final class RankRecord: Sendable {
    private struct Content {
        var state: RankState
        var phase = Phase.load
        var progressed = ContinuousClock.now
    }

    private let content: Mutex<Content>

    init(rank: Int) {
        var state = RankState(rank: rank)
        state.host = ProcessInfo.processInfo.hostName
        state.process = ProcessInfo.processInfo.processIdentifier
        state.mpiFiles = MPIFile.ofThisProcess()
        state.phase = Phase.load.rawValue
        content = Mutex(Content(state: state))
    }

    func begin(stage: String) {
        change { $0.state.stage = stage }
    }

    func enter(_ phase: Phase, step: Int) {
        change { content in
            content.phase = phase
            content.state.phase = phase.rawValue
            content.state.step = step
        }
    }

    /// Counts a collective and gives its number.
    func begin(call name: String) -> Int {
        change { content in
            content.state.number += 1
            content.state.call = name
            content.state.isWaiting = true
            return content.state.number
        }
    }

    func endCall() {
        change { $0.state.isWaiting = false }
    }

    func finish() {
        change { $0.state.isFinished = true }
    }

    /// The rank as it is now, another state than any before, with the phase that its deadline is stated for.
    var now: (state: RankState, phase: Phase) {
        content.withLock { content in
            content.state.idle = (ContinuousClock.now - content.progressed) / .seconds(1)
            content.state.count += 1
            return (content.state, content.phase)
        }
    }

    private func change<Result>(_ body: (inout Content) -> Result) -> Result {
        content.withLock { content in
            content.progressed = .now
            return body(&content)
        }
    }
}
