import Failures
import Runs

extension LaunchJob {
    /// An sbatch script: asks for the nodes, passes the warning before the time limit on to the run, and queues the job
    /// again when the run has stopped with a checkpoint.
    var slurmScript: String {
        slurm(job: ["--output=%x-%j.log"], command: supervised([srun.first, srun.second] + run))
    }

    /// An sbatch script of a job array, a task for each run of a sweep, each as a job of one run.
    var slurmArrayScript: String {
        let sweep =
            [[program, "sweep", request.configuration]] + request.overrides.map { ["--set", $0] }
            + [["--threads", "\(placement.threads)"]]
        // The shell is to put the number in; the words around it are quoted.
        let command = "\(shellCommand(sweep)) --only \"$SLURM_ARRAY_TASK_ID\" -- \\\n    "
        return slurm(
            job: ["--array=1-\(runs)", "--output=%x-%A_%a.log"],
            command: command + shellCommand([srun.first, srun.second])
        )
    }

    /// The command that starts ranks as steps of a job.
    private var srun: (first: [String], second: [String]) {
        let binding =
            switch cluster.ranks.bind {
            case .none: "--cpu-bind=none"
            case .core: "--cpu-bind=cores"
            case .numa: "--cpu-bind=ldoms"
            }
        return (
            ["srun", "--mpi=pmix", "--ntasks=\(placement.ranks)", "--cpus-per-task=\(placement.threads)"],
            [binding, "--kill-on-bad-exit=1"]
        )
    }

    private func slurm(job own: [String], command: String) -> String {
        let batch = cluster.batch
        var directives =
            [
                "--job-name=\(jobName)", "--nodes=\(cluster.nodes.count)", "--ntasks-per-node=\(cluster.ranks.perNode)",
                "--cpus-per-task=\(placement.threads)", "--time=\(batch.timeLimit)",
                "--signal=B:USR1@\(batch.stopLead)",
                "--requeue", "--open-mode=append",
            ] + own
        if let queue = batch.queue { directives.append("--partition=\(queue)") }
        if let account = batch.account { directives.append("--account=\(account)") }
        return script(
            directives: (directives + batch.directives).map { "#SBATCH \($0)" },
            setup: environment(settings.variables),
            command: command,
            warning: [
                "# Slurm signals this shell before the time limit; the supervisor has the run save, and ends with 75.",
                "trap 'kill -USR1 \"$job\"' USR1",
            ],
            again: ["scontrol requeue \"$SLURM_JOB_ID\""]
        )
    }

    /// A qsub script for PBS Professional and OpenPBS, which give no warning before the limit and let no user requeue a
    /// job: a timer in the script warns, and a run that has stopped with a checkpoint is submitted again.
    var pbsScript: String {
        let batch = cluster.batch
        let nodes = cluster.nodes
        var directives = [
            "-N \(jobName)",
            "-l select=\(nodes.count):ncpus=\(cluster.ranks.perNode * placement.threads)"
                + ":mpiprocs=\(cluster.ranks.perNode):ompthreads=\(placement.threads)",
            "-l place=scatter:excl", "-l walltime=\(clockTime(60 * batch.timeLimit))", "-r y", "-j oe",
        ]
        if let queue = batch.queue { directives.append("-q \(queue)") }
        if let account = batch.account { directives.append("-A \(account)") }
        let again =
            [[program, "launch", "--cluster", request.cluster, request.configuration]]
            + request.overrides.map { ["--set", $0] } + [["--execute"]]
        return script(
            directives: (directives + batch.directives).map { "#PBS \($0)" },
            setup: ["cd \"$PBS_O_WORKDIR\" || exit 73", "export OMPI_MCA_orte_default_hostfile=\"$PBS_NODEFILE\""]
                + environment([]),
            command: supervised(mpirun + run),
            warning: [
                "# PBS gives no warning before the time limit: this does; the supervisor has the run save, and ends "
                    + "with 75.",
                "trap 'kill -USR1 \"$job\"' USR1",
                "{ sleep \(60 * batch.timeLimit - batch.stopLead) && kill -USR1 $$; } &",
            ],
            again: [shellCommand(again, indentation: "        ")]
        )
    }

    /// The script: the command in the background, so that the shell can take signals, and once more what queues the job
    /// where the run has stopped with a checkpoint.
    private func script(
        directives: [String],
        setup: [String],
        command: String,
        warning: [String],
        again: [String]
    ) -> String {
        let lines =
            ["#!/usr/bin/env bash"] + directives + setup + ["\(command) &", "job=$!"] + warning + [
                "# A trapped signal ends `wait` early; bash keeps the status for the last one.",
                "wait \"$job\"",
                "while kill -0 \"$job\" 2>/dev/null; do wait \"$job\"; done",
                "wait \"$job\"",
                "status=$?",
                "if ((status == 75)); then",
            ] + again.map { "    \($0)" } + ["fi", "exit \"$status\""]
        return lines.joined(separator: "\n")
    }

    /// The command under supervision, which leaves a run that has stopped by itself to the batch system.
    private func supervised(_ command: [[String]]) -> String {
        let supervisor = [program, "supervise", "--run", runDirectory, "--restarts", "\(cluster.supervise.restarts)"]
        return shellCommand([supervisor + ["--leave-stopped", "--"]] + command)
    }

    /// Exports of parameters and variables, then the file's own `setup`.
    private func environment(_ variables: [Cluster.EnvironmentVariable]) -> [String] {
        settings.parameters.map { "export OMPI_MCA_\($0.name)=\(shellQuoted($0.value))" }
            + variables.map { "export \($0.name)=\(shellQuoted($0.value))" } + cluster.batch.setup
    }

    /// The run's name as every batch system accepts it.
    private var jobName: String {
        // Scalars, not Characters: to Swift the Kelvin sign is a K.
        let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.".unicodeScalars
        return "maxmin-" + name.unicodeScalars.map { allowed.contains($0) ? String($0) : "-" }.joined()
    }

    /// Hours, minutes and seconds.
    private func clockTime(_ seconds: Int) -> String {
        let (minutes, rest) = seconds.quotientAndRemainder(dividingBy: 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minutes / 60)):\(two(minutes % 60)):\(two(rest))"
    }
}
