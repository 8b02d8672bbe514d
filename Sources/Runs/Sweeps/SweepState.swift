import Failures
import Foundation

/// How a run of a sweep stands.
package enum SweepState: Equatable, Sendable {
    /// Nothing is there.
    case new
    /// Stopped, killed or under way.
    case unfinished
    /// Its last start failed.
    case failed(code: Int32, message: String?)
    /// Finished with other values of the keys named.
    case changed(String)
    /// Finished with this configuration.
    case done

    /// One word.
    package var word: String {
        switch self {
        case .new: "new"
        case .unfinished: "unfinished"
        case .failed: "failed"
        case .changed: "changed"
        case .done: "done"
        }
    }

    /// The word, and why.
    package var line: String {
        switch self {
        case .new, .unfinished, .done: word
        case .failed(let code, let message): "failed with \(code)" + (message.map { ": \($0)" } ?? "")
        case .changed(let keys): "finished with another configuration: \(keys)"
        }
    }
}

extension SweepRun {
    /// How it stands, by its directory; a file that cannot be read there, or an input of the run, is a failure.
    package var state: SweepState {
        do throws(Failure) {
            return try readState()
        } catch {
            return .failed(code: error.code.rawValue, message: error.description)
        }
    }

    private func readState() throws(Failure) -> SweepState {
        guard FileManager.default.fileExists(atPath: directory.file("config.yaml")) else { return .new }
        let stages = configuration.run.stages
        if stages.allSatisfy(directory.isComplete) {
            let last = stages.max { $0.position < $1.position } ?? .report
            var theirs = try directory.completion(of: last).configuration
            var ours = try configuration.resultKeys(upTo: last)
            // A run that has finished would not train another objective.
            let key = "policy.objectives"
            if stages.contains(.policy) {
                theirs[key] = try lastStarted().values[key]
                ours[key] = configuration.values[key]
            }
            return changes(of: theirs, to: ours).map(SweepState.changed) ?? .done
        }
        guard let status = try directory.readStatus(), status.state == .failed else { return .unfinished }
        return .failed(code: status.exitCode ?? ExitCode.internalError.rawValue, message: status.message)
    }

    private func lastStarted() throws(Failure) -> Configuration {
        do {
            return try directory.configuration()
        } catch {
            throw error as? Failure
                ?? Failure(.badData, "is not what a run leaves: \(error)", at: directory.file("config.yaml"))
        }
    }
}
