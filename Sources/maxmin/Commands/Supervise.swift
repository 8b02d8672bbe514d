import ArgumentParser
import Launching
import Runs

struct Supervise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a command that starts a run's ranks, and starts it again after failures.",
        discussion: """
            What `maxmin launch` puts around mpirun and srun. The command must go on from the run's last checkpoint by \
            itself (maxmin run CONFIG --resume). Failures that another try would meet again (64 to 74, 77, 78) end it; \
            so does a run that is started again and again without a new checkpoint or finished stage (70). SIGUSR1, \
            SIGTERM and Ctrl-C make the run save and end with 75. Example:

              maxmin supervise --run runs/mine -- mpirun -n 4 --bind-to none maxmin run mine.yaml --resume
            """
    )

    @Option(name: .customLong("run"), help: "The run's directory, in which progress shows.")
    var directory: String

    @Option(
        help: "Restarts without progress after which the run is given up. (default: 3)",
        transform: whole(0...1_000_000)
    )
    var restarts = 3

    @Flag(
        help:
            "Also end with 75 where the run stopped with a checkpoint by itself, for a batch system to queue it again."
    )
    var leaveStopped = false

    @Argument(parsing: .postTerminator, help: "The command, after --.")
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Give the command after --.") }
    }

    func run() throws {
        try requireOneProcess("supervise")
        var job = SupervisedRun(command: command, directory: directory, restarts: restarts)
        job.leavesStopped = leaveStopped
        throw ExitCode(try supervise(job, say: say))
    }
}
