import ArgumentParser
import Collectives
import Failures
import Reporting
import Runs

/// What every command that works on a run configuration takes.
struct RunOptions: ParsableArguments {
    @Argument(help: "The run's configuration, a YAML file (docs/configuration.md).")
    var config: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key, as policy.beta=0.1 or simulate.groups.0.users=11.", valueName: "key=value")
    )
    var overrides: [String] = []

    @Option(help: "Threads of each rank; as --set run.threads=N.")
    var threads: Int?

    @Flag(help: "Replace these stages' results in the run directory, and later stages' with them.")
    var overwrite = false

    @Flag(help: "Print a JSON object with the run's directory and the stages done on standard output.")
    var json = false

    /// Does the stages on every rank; nil: those that the configuration names.
    func run(_ stages: [Stage]?) throws {
        try onEveryRank { communicator, suggestedThreads in
            var request = RunRequest(configuration: config)
            request.overrides = overrides + (threads.map { ["run.threads=\($0)"] } ?? [])
            request.stages = stages
            request.overwrite = overwrite
            request.suggestedThreads = suggestedThreads
            request.commandLine = CommandLine.arguments
            let progress = ProgressMeter.onStandardError(rank: communicator.rank)
            let (configuration, finished) = try runStages(request, communicator: communicator, progress: progress)
            if json, communicator.rank == 0 {
                var output = LineOutput()
                try output.line(summary(of: configuration, finished))
                try output.flush()
            }
        }
    }
}
