#if MPI
public import Collectives
internal import Failures
internal import Foundation

/// Runs `body` on every rank of `launch` between MPI's initialisation and finalisation.
///
/// An error that `body` throws on any rank ends the whole run: that rank prints `rank R: <error>` on standard error and aborts
/// all ranks with the exit code of a `Failure`, 70 for any other error. A rank that merely returned would leave the others
/// waiting in a collective for ever.
public func withMPI<Result>(
    _ launch: Launch,
    _ body: (MPICommunicator) throws -> Result
) throws(MPIError) -> Result {
    let communicator = try MPICommunicator(launch)
    let result: Result
    do {
        result = try body(communicator)
    } catch {
        end(communicator, with: error)
    }
    try communicator.finalise()
    return result
}

private func end(_ communicator: MPICommunicator, with error: any Error) -> Never {
    // An error that every rank meets (a missing file) should be told once: lower ranks speak first, and their abort ends
    // the others while these still wait.
    Thread.sleep(forTimeInterval: 0.1 * Double(min(communicator.rank, 10)))
    try? FileHandle.standardError.write(contentsOf: Data("rank \(communicator.rank): \(error)\n".utf8))
    let code = (error as? Failure)?.code ?? .internalError
    communicator.abort(code: code == .done ? ExitCode.internalError.rawValue : code.rawValue)
}
#endif
