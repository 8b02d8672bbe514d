// mpi-selftest [throw RANK | throw-beside RANK | throw-all | trap RANK | exit RANK | leave RANK FOLDER]
//
// Checks MPI itself, under mpirun: without arguments every collective against known answers at its world size, exit 0
// where all are right. The other modes make ranks fail while the rest waits in a collective; launch/tests/ checks how
// that ends.

import CollectiveChecks
import Collectives
import Failures
import Foundation
import MPICollectives
import Watching

/// What the one argument pair asks for.
let arguments = CommandLine.arguments.dropFirst()
let mode = arguments.first ?? "check"
let chosen = arguments.dropFirst().first.flatMap { Int($0) } ?? 0

#if MPI
/// Checks the collectives, long buffers and the number of threads; throws where anything is wrong.
func checkAll(_ communicator: MPICommunicator) throws {
    var found = try complaints(about: communicator)
    if communicator.ranksOnNode != communicator.size {
        found.append("\(communicator.ranksOnNode) ranks on this node, not \(communicator.size)")
    }
    let cpus = ProcessInfo.processInfo.activeProcessorCount
    if !(1...cpus).contains(communicator.suggestedThreads) {
        found.append("\(communicator.suggestedThreads) threads suggested on \(cpus) CPUs")
    }
    // Waiting ranks that outnumber CPUs must not spin through their time slices: 37 ms a sum where they do, 30 µs where
    // they yield.
    let yields = ProcessInfo.processInfo.environment["OMPI_MCA_mpi_yield_when_idle"] == "1"
    if communicator.ranksOnNode > cpus, !yields { found.append("waiting ranks do not yield") }
    if !found.isEmpty { throw Failure(.internalError, found.joined(separator: "; ")) }
    if communicator.rank == 0 {
        print("mpi-selftest: ranks \(communicator.size), \(communicator.suggestedThreads) threads each, all right")
    }
}

/// Under the watchdog: one rank finalizes MPI while the others wait, which MPI itself never notices.
func leaveEarly(_ communicator: MPICommunicator, if isChosen: Bool, folder: RankFolder) throws {
    if communicator.rank == 0 { try folder.clear() }
    try watching(communicator) { watched in
        try watched.barrier()
        watched.watch(Deadlines(), reportingTo: folder)
        if !isChosen { try watched.barrier() }
    }
}

/// One rank meets an error while a thread of its own is in a collective to which no other rank comes.
func throwBeside(_ communicator: MPICommunicator, if isChosen: Bool) throws {
    guard isChosen else { return Thread.sleep(forTimeInterval: 60) }
    nonisolated(unsafe) let communicator = communicator
    Thread.detachNewThread { try? unsafe communicator.barrier() }
    Thread.sleep(forTimeInterval: 0.5)
    throw Failure(.badData, "broken as asked", at: "mpi-selftest")
}

guard let launch = try Launch.detect(in: ProcessInfo.processInfo.environment) else {
    print("mpi-selftest: start it under mpirun")
    exit(ExitCode.usage.rawValue)
}
/// Prints `rank R: <error>`.
func tell(_ error: any Error, rank: Int?) -> ExitCode {
    FileHandle.standardError.write(Data("rank \(rank ?? 0): \(error)\n".utf8))
    return (error as? Failure)?.code ?? .internalError
}

try withMPI(launch) { communicator in
    endingAllRanks(communicator, tell: tell) {
        let isChosen = communicator.rank == chosen
        switch mode {
        case "check": try checkAll(communicator)
        case "throw" where isChosen: throw Failure(.badData, "broken as asked", at: "mpi-selftest")
        case "throw-beside": try throwBeside(communicator, if: isChosen)
        case "throw-all": throw Failure(.missingInput, "broken as asked", at: "mpi-selftest")
        case "trap" where isChosen: fatalError("trapped as asked")
        case "exit" where isChosen: exit(0)
        case "leave": try leaveEarly(communicator, if: isChosen, folder: RankFolder(path: arguments.last ?? ""))
        default: try communicator.barrier()
        }
    }
}
#else
print("mpi-selftest: built without the trait MPI: nothing to test")
exit(ExitCode.configuration.rawValue)
#endif
