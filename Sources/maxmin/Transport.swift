import Collectives
import Failures
import Foundation
import Runs
import StrictYAML

#if MPI
import MPICollectives
#endif

/// This process's rank as its launcher tells it before MPI is initialized; 0 without a launcher.
let launchedRank: Int = {
    let environment = ProcessInfo.processInfo.environment
    let names = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"]
    return names.lazy.compactMap { environment[$0].flatMap { Int($0) } }.first ?? 0
}()

/// Runs `body` on this process alone, or on every rank that mpirun or srun started.
///
/// Without a launcher MPI is never initialized. An error on any rank is told in one line that names the rank, and ends
/// every rank.
func onEveryRank(_ body: (_ communicator: any Communicator, _ suggestedThreads: Int) throws -> Void) throws {
    guard let launch = try Launch.detect(in: ProcessInfo.processInfo.environment) else {
        let communicator = SoloCommunicator()
        endingAllRanks(communicator, tell: tell) {
            try body(communicator, ProcessInfo.processInfo.activeProcessorCount)
        }
        return
    }
    #if MPI
    do {
        try withMPI(launch) { communicator in
            endingAllRanks(communicator, tell: tell) { try body(communicator, communicator.suggestedThreads) }
        }
    } catch {
        // MPI cannot be relied on to end the other ranks; mpirun ends them where one exits like this.
        exit(tell(error, rank: launchedRank).rawValue)
    }
    #else
    let ranks = launch.ranks.map { "\($0) ranks" } ?? "several ranks"
    throw Failure(
        .configuration,
        "started as \(ranks), but this program was built without MPI; build it with the trait MPI (swift build "
            + "--traits MPI,OneDNN, needs libopenmpi-dev) or start it without mpirun"
    )
    #endif
}

/// How many CPUs this rank has for itself.
func cpus(of communicator: any Communicator) -> Double {
    #if MPI
    if let communicator = communicator as? MPICommunicator { return communicator.cpus }
    #endif
    return Double(ProcessInfo.processInfo.activeProcessorCount)
}

/// How many ranks share this one's node.
func ranksOnNode(of communicator: any Communicator) -> Int {
    #if MPI
    if let communicator = communicator as? MPICommunicator { return communicator.ranksOnNode }
    #endif
    return 1
}

/// Throws where mpirun started several copies of a command that works alone.
func requireOneProcess(_ command: String) throws {
    guard let launch = try Launch.detect(in: ProcessInfo.processInfo.environment), launch.ranks != 1 else { return }
    throw Failure(.usage, "\(command) works on one process; start it without mpirun")
}

/// Whether an error is one of ours, not the argument parser's.
func isOurs(_ error: any Error) -> Bool { error is Failure || error is ConfigurationError }

/// The exit code that an error ends the program with.
func exitCode(of error: any Error) -> Failures.ExitCode {
    if error is ConfigurationError { return .configuration }
    return (error as? Failure)?.code ?? .internalError
}

/// Tells people an error on standard error, one line each for all that is wrong with a configuration and at most 4
/// KiB of them, and gives the exit code that it ends the program with.
func tell(_ error: any Error, rank: Int?) -> Failures.ExitCode {
    let lines = (error as? ConfigurationError)?.problems.map(\.description) ?? [printable("\(error)")]
    let speaker = rank.map { "rank \($0): " } ?? ""
    var room = 4096
    for (number, line) in lines.enumerated() {
        room -= line.utf8.count
        guard number == 0 || room >= 0 else {
            say("maxmin: and \(lines.count - number) more")
            break
        }
        say("maxmin: error: \(speaker)\(line)")
    }
    return exitCode(of: error)
}
