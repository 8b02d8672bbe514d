import ArgumentParser
import Collectives
import Failures
import Foundation
import Reporting
import Runs
import Watching

/// What every command that works on a run configuration takes.
struct RunOptions: ParsableArguments {
    @Argument(help: "The run's configuration, a YAML file (docs/configuration.md).")
    var config: String

    @OptionGroup var choices: RunChoices

    /// Does the stages on every rank; nil: those that the configuration names.
    func run(_ stages: [Stage]?) throws { try choices.run(stages, of: config) }
}

/// What such a command takes besides the configuration.
struct RunChoices: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key, as policy.beta=0.1 or simulate.groups.0.users=11.", valueName: "key=value")
    )
    var overrides: [String] = []

    @Option(help: "Threads of each rank; as --set run.threads=N.", transform: whole(0...1024))
    var threads: Int?

    @Flag(help: "Replace these stages' results in the run directory, and later stages' with them.")
    var overwrite = false

    @Flag(
        help: """
            Skip complete stages and go on with the one under way from its last checkpoint; starts a run that is not \
            there yet, so that the same command starts and resumes.
            """
    )
    var resume = false

    @Option(
        help: ArgumentHelp(
            """
            Stop with a checkpoint (exit code 75) before this time is over; the end of a Slurm job is heeded \
            anyway (SLURM_JOB_END_TIME).
            """,
            valueName: "hours"
        ),
        transform: decimal(1e-6...1e6)
    )
    var maxHours: Double?

    @Flag(help: "Print a JSON object with the run's directory and the stages done on standard output.")
    var json = false

    /// Whether nothing was given that a comparison of runs does not take.
    var isForComparison: Bool { overrides.isEmpty && threads == nil && !resume && maxHours == nil && !json }

    /// Whether nothing was given but what changes the configuration.
    var isForPreview: Bool { !overwrite && !resume && maxHours == nil && !json }

    /// Whether nothing was given that a comparison of models does not take.
    var isForModels: Bool { overrides.isEmpty && !overwrite && !resume && maxHours == nil }

    /// `--set` options, `--threads` among them.
    var allOverrides: [String] { overrides + (threads.map { ["run.threads=\($0)"] } ?? []) }

    /// Does stages of a configuration on every rank; nil: those that it names.
    func run(_ stages: [Stage]?, of config: String) throws {
        guard !(resume && overwrite) else {
            throw Failure(.usage, "--resume keeps what is there and --overwrite replaces it; give one of them")
        }
        StopSignals.install()
        var isStopped = false
        let fault = try Fault.asked(in: ProcessInfo.processInfo.environment)
        try onEveryRank { communicator, suggestedThreads in
            var request = RunRequest(configuration: config)
            request.overrides = allOverrides
            request.stages = stages
            request.overwrite = overwrite
            request.resume = resume
            request.stop.isAsked = { StopSignals.isAsked }
            request.stop.deadline = deadline(hours: maxHours)
            request.fault = fault
            request.cpus = cpus(of: communicator)
            request.ranksOnNode = ranksOnNode(of: communicator)
            request.suggestedThreads = suggestedThreads
            request.commandLine = CommandLine.arguments
            let progress = ProgressMeter.onStandardError(rank: communicator.rank)
            let outcome = try runStages(request, communicator: communicator, progress: progress)
            isStopped = outcome.isStopped
            if json, communicator.rank == 0 {
                var output = LineOutput()
                try output.line(summary(of: outcome))
                try output.flush()
            }
        }
        // After MPI has ended, so that the launcher sees no failure but this code.
        if isStopped { Foundation.exit(Failures.ExitCode.resumable.rawValue) }
    }
}
