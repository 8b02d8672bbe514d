package import Collectives
import Failures
import Foundation

/// Runs `body` with a watched communicator; the watchdog ends the process, with exit code 86, where the run makes no
/// progress.
///
/// Until `WatchedCommunicator.watch` is called the default deadlines hold, and ranks know nothing of each other.
///
/// - Throws: what `body` throws; `Failure` 64 for a fault on a rank that there is not.
package func watching<Result>(
    _ communicator: any Communicator,
    fault: Fault? = nil,
    end: @escaping @Sendable (String) -> Void = endProcess,
    _ body: (WatchedCommunicator) throws -> Result
) throws -> Result {
    if let fault, fault.rank >= communicator.size {
        throw Failure(.usage, "names rank \(fault.rank) of \(communicator.size)", at: Fault.variable)
    }
    let watched = WatchedCommunicator(communicator, fault: fault, end: end)
    do {
        let result = try body(watched)
        watched.leave(tellingOthers: true)
        if let fault = watched.pendingFault {
            tell("\(Fault.variable): \(fault) never came about: no such phase and step")
        }
        return result
    } catch {
        // The error ends all ranks, and it is the error that people should read of.
        watched.leave(tellingOthers: false)
        throw error
    }
}

/// Prints the line, where there is one, and ends the process at once: no handler runs, and nothing waits for other
/// ranks.
package func endProcess(telling line: String) {
    if !line.isEmpty { tell("error: \(line)") }
    _exit(ExitCode.watchdog.rawValue)
}

/// One line on standard error; a closed one is no reason to fail.
private func tell(_ line: String) {
    try? FileHandle.standardError.write(contentsOf: Data("maxmin: \(printable(line))\n".utf8))
}
