#if MPI
package import Collectives

/// Runs `body` on every rank of `launch` between MPI's initialization and finalization.
///
/// `body` must not throw: `endingAllRanks` turns an error into the end of the whole run.
package func withMPI<Result>(
    _ launch: Launch,
    _ body: (MPICommunicator) -> Result
) throws(MPIError) -> Result {
    let communicator = try MPICommunicator(launch)
    let result = body(communicator)
    try communicator.finalize()
    return result
}
#endif
