package import Failures
import Foundation
import ModelFiles
import StrictJSON

/// `status.json`: how a run stands or how it ended, for launchers and people; mpirun's exit code does not always tell.
package struct RunStatus: Codable, Equatable {
    package enum State: String, Codable {
        /// Under way, or killed.
        case running
        /// Ended with a checkpoint, to be resumed.
        case stopped
        case failed
        case done
    }

    package var state: State
    /// What the program ends with; nil while it runs.
    package var exitCode: Int32?
    /// For people: why it stopped or failed.
    package var message: String?
    /// What was done and saved when this process started.
    package var startedFrom: String
    /// Starts in a row, this one included, that found no more done and saved than the start before, which had failed.
    package var startsWithoutProgress = 0
    package var host: String
    package var process: Int32
    /// When this was written, ISO 8601.
    package var updated: String

    package enum CodingKeys: String, CodingKey {
        case state, message, host, process, updated
        case exitCode = "exit_code"
        case startedFrom = "started_from"
        case startsWithoutProgress = "starts_without_progress"
    }
}

/// A run is not started more often than this without getting further.
private let restartsWithoutProgress = 3

extension RunStatus {
    /// Of a run that starts now; `previous` is what the start before left.
    ///
    /// - Throws: `Failure` 70 where three restarts in a row got no further: the next would not either.
    package init(startingFrom progress: String, after previous: RunStatus?, at path: String) throws(Failure) {
        self.init(
            state: .running,
            startedFrom: progress,
            host: ProcessInfo.processInfo.hostName,
            process: ProcessInfo.processInfo.processIdentifier,
            updated: Date.now.ISO8601Format()
        )
        guard let previous, previous.state == .running || previous.state == .failed, previous.startedFrom == progress
        else { return }
        startsWithoutProgress = previous.startsWithoutProgress + 1
        guard startsWithoutProgress <= restartsWithoutProgress else {
            let reason = previous.message.map { " (\($0))" } ?? ""
            throw Failure(
                .internalError,
                "\(restartsWithoutProgress) restarts got no further than \(progress)\(reason); "
                    + "mend the cause, remove this file and resume",
                at: path
            )
        }
    }

    /// For people: `failed with 70: the loss is not finite`.
    package var line: String {
        let code = exitCode.map { " with \($0)" } ?? ""
        return "\(state.rawValue)\(code)" + (message.map { ": \($0)" } ?? "")
    }

    /// The same run, ended.
    package func ended(_ state: State, code: ExitCode, _ message: String? = nil) -> RunStatus {
        var status = self
        status.state = state
        status.exitCode = code.rawValue
        status.message = message
        status.updated = Date.now.ISO8601Format()
        return status
    }
}

extension RunDirectory {
    private var statusFile: String { file("status.json") }

    /// What the last start of the run left; nil where there is none.
    ///
    /// - Throws: `Failure` 65 where it is not what a start leaves.
    package func readStatus() throws(Failure) -> RunStatus? {
        guard FileManager.default.fileExists(atPath: statusFile) else { return nil }
        let bytes = try readBytes(ofFile: statusFile)
        guard let status = try? JSONDecoder().decode(RunStatus.self, from: Data(bytes)),
            (0...restartsWithoutProgress + 1).contains(status.startsWithoutProgress)
        else { throw Failure(.badData, "is not what a run leaves; remove it", at: statusFile) }
        return status
    }

    package func write(_ status: RunStatus) throws { try writeAtomically(encodedJSON(status), to: statusFile) }

    /// Notes a start, and refuses one too many.
    package func start(_ stages: [Stage], resume: Bool) throws -> RunStatus {
        let status = try RunStatus(
            startingFrom: progress(of: stages),
            after: resume ? readStatus() : nil,
            at: statusFile
        )
        try write(status)
        return status
    }

    /// What is done and saved: `sft; reward step 40`.
    private func progress(of stages: [Stage]) throws(Failure) -> String {
        let done = stages.filter(isComplete).map(\.rawValue)
        var saved: [String] = []
        for training in trainings {
            let step = try checkpoints(of: training).steps().last
            saved += isFinished(training) ? [training] : step.map { ["\(training) step \($0)"] } ?? []
        }
        let all = done + saved
        return all.isEmpty ? "the start" : all.joined(separator: ", ")
    }

    /// The trainings that have a folder of checkpoints, in order of stage and name.
    package var trainings: [String] {
        let policies = (try? FileManager.default.contentsOfDirectory(atPath: file("checkpoints/policy"))) ?? []
        return (["sft", "reward"] + policies.sorted().map { "policy/\($0)" }).filter {
            FileManager.default.fileExists(atPath: checkpoints(of: $0).path)
        }
    }
}
