import ArgumentParser
import Failures
import Foundation
import Launching
import Reporting
import Runs

struct SweepRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Does a run for each combination of values of some keys, and compares them in one table and report.",
        discussion: """
            The file names a base configuration, a directory and a grid of keys (docs/sweeps.md). Runs are done one \
            after another, each in a process of its own; finished ones are skipped, others go on from their last \
            checkpoint. What starts the ranks of each run goes after --. A run that fails does not end the sweep; the \
            command then ends with the exit code of the first that failed. SIGUSR1, SIGTERM and Ctrl-C make the run \
            save and the sweep end with 75. At the end it prints a table for each policy and writes sweep.json and \
            sweep.html. Examples:

              maxmin sweep launch/runs/seeds.yaml
              maxmin sweep launch/runs/seeds.yaml -- mpirun -n 2 --bind-to none
              maxmin sweep launch/runs/seeds.yaml --only 3
            """
    )

    @Argument(help: "The sweep's file (docs/sweeps.md).")
    var file: String

    @Option(
        help: ArgumentHelp("Do this run only, the first is 1, and write no report: for job arrays.", valueName: "N"),
        transform: whole(1...10_000)
    )
    var only: Int?

    @Flag(name: .customLong("list"), help: "Print the runs and how each stands, and do nothing.")
    var lists = false

    @Flag(
        name: .customLong("report"),
        help: "Only print the tables of what is done, and write sweep.json and sweep.html."
    )
    var reports = false

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key of all runs that is not in the grid.", valueName: "key=value")
    )
    var overrides: [String] = []

    @Option(help: "Threads of each rank; as run.threads.", transform: whole(0...1024))
    var threads: Int?

    @Argument(parsing: .postTerminator, help: "What starts the ranks of each run, after --, as mpirun -n 4.")
    var launcher: [String] = []

    func validate() throws {
        guard [only != nil, lists, reports].filter({ $0 }).count < 2 else {
            throw ValidationError("give one of --only, --list and --report")
        }
        guard launcher.isEmpty || !lists && !reports else {
            throw ValidationError("--list and --report start nothing; leave out what is after --")
        }
    }

    func run() throws {
        guard (try? requireOneProcess("sweep")) != nil else {
            throw Failure(.usage, "sweep starts the ranks of each run itself; write maxmin sweep FILE -- mpirun -n 4")
        }
        let sweep = try Sweep(contentsOfFile: file)
        let runs = try sweep.runs(overrides: overrides)
        if lists { return try printStates(of: runs) }
        if reports { return try printing(sweep.writeResults(of: runs), in: sweep) }
        if let only, only > runs.count {
            throw Failure(.usage, "--only \(only): the sweep has \(runs.count) runs", at: file)
        }
        var job = SweepJob(
            base: sweep.base,
            runs: only.map { [runs[$0 - 1]] } ?? runs,
            count: runs.count,
            program: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        )
        job.launcher = launcher
        if let threads { job.options = ["--threads", "\(threads)"] }
        let outcome = try perform(job, say: say)
        if only == nil { try printing(sweep.writeResults(of: runs, failures: outcome.failures), in: sweep) }
        throw ArgumentParser.ExitCode(outcome.status)
    }

    private func printStates(of runs: [SweepRun]) throws {
        var table = Table(["run", "name", "state"])
        for run in runs { table.add(["\(run.index)", run.name, run.state.line]) }
        try printingLines { try $0(String(table.text.dropLast())) }
    }

    private func printing(_ tables: String, in sweep: Sweep) throws {
        try printingLines { try $0(String(tables.dropLast())) }
        say("sweep: \(sweep.directory)/sweep.html")
    }
}
