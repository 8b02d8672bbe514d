package import Failures
import Foundation

/// Runs `body`; where it throws on any rank, that rank tells the error and ends every rank.
///
/// A rank that merely returned would leave the others waiting in a collective for ever.
///
/// - Parameter tell: prints the error, with the number of the rank where there are several, and gives the exit code of
///   the run; 70 takes the place of `done`.
package func endingAllRanks<Result>(
    _ communicator: any Communicator,
    tell: (_ error: any Error, _ rank: Int?) -> ExitCode,
    _ body: () throws -> Result
) -> Result {
    do {
        return try body()
    } catch {
        // What every rank meets (a missing file) should be told once: the root, which may still have the run's state to
        // write, speaks first, then lower ranks, and their abort ends the others while these still wait: mpirun kills
        // one second after a SIGTERM, by which a run does not end at once.
        if communicator.rank > 0 { Thread.sleep(forTimeInterval: 2 + 0.1 * Double(min(communicator.rank, 10))) }
        let code = tell(error, communicator.size > 1 ? communicator.rank : nil)
        communicator.abort(code: code == .done ? ExitCode.internalError.rawValue : code.rawValue)
    }
}
