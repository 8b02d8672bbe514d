import ArgumentParser
import Failures
import Foundation
import Launching
import Runs

struct LaunchRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Prints the command or batch script that runs a configuration on a cluster; with --execute runs it.",
        discussion: """
            A cluster file (docs/clusters.md, cluster-configs/) says where ranks run and what starts them. With mpirun \
            the command is printed; with --execute it is run and watched: after a failure it is started again from its \
            last checkpoint, and SIGUSR1, SIGTERM or Ctrl-C make it save and end with 75 (a second one ends it at \
            once). With slurm and pbs the batch script is printed, or submitted; the job saves before its time limit \
            and queues itself again. Examples:

              maxmin launch --cluster cluster-configs/laptop.yaml launch/runs/quickstart.yaml --execute
              maxmin launch --cluster cluster-configs/slurm-infiniband-64.yaml run.yaml --set shards=128 > job.sbatch
              maxmin launch --cluster slurm.yaml --sweep launch/runs/seeds.yaml --execute

            With --sweep the script is a job array of Slurm with a task for each run of a sweep (docs/sweeps.md).
            """
    )

    @Argument(help: "The run's configuration, a YAML file (docs/configuration.md).")
    var config: String?

    @Option(help: "A sweep's file (docs/sweeps.md), in place of a run's configuration.")
    var sweep: String?

    @Option(help: "The cluster file (docs/clusters.md).")
    var cluster: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key of the run's configuration, as policy.beta=0.1.", valueName: "key=value")
    )
    var overrides: [String] = []

    @Flag(name: .customLong("execute"), help: "Run the command, or submit the script.")
    var executes = false

    func validate() throws {
        guard (config == nil) != (sweep == nil) else {
            throw ValidationError("give one of them: a run's configuration, or --sweep with a sweep's file")
        }
    }

    func run() throws {
        try requireOneProcess("launch")
        var request = LaunchRequest(
            cluster: cluster,
            configuration: sweep ?? config ?? "",
            program: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            coresHere: ProcessInfo.processInfo.activeProcessorCount
        )
        request.isSweep = sweep != nil
        request.overrides = overrides
        request.isRoot = geteuid() == 0
        let plan = try planLaunch(request)
        plan.warnings.forEach(say)
        guard executes else {
            try printingLines { try $0(plan.text) }
            return
        }
        throw ArgumentParser.ExitCode(try execute(plan, coresHere: request.coresHere, say: say))
    }
}
