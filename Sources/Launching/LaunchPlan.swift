import Collectives
import Failures
import Runs
import StrictYAML

/// What is to be launched, as the command line of `maxmin launch` gives it.
package struct LaunchRequest: Sendable {
    /// Path of the cluster file.
    package var cluster: String
    /// Path of the run's configuration, or of a sweep's file.
    package var configuration: String
    /// Whether that is a sweep's file.
    package var isSweep = false
    /// `--set` options, passed on to the run.
    package var overrides: [String] = []
    /// Path of this program, for clusters that name none.
    package var program: String
    /// CPUs that this process may use.
    package var coresHere: Int
    /// Whether root is launching, whom mpirun refuses unless told otherwise.
    package var isRoot = false

    /// A request with nothing but what is needed.
    package init(cluster: String, configuration: String, program: String, coresHere: Int) {
        self.cluster = cluster
        self.configuration = configuration
        self.program = program
        self.coresHere = coresHere
    }
}

/// How a run is started on a cluster.
package struct LaunchPlan: Equatable, Sendable {
    /// What is done with the plan.
    package enum Start: Equatable, Sendable {
        /// Words of the command that starts the ranks, line by line; it is watched and restarted.
        case command([[String]])
        /// A batch script, and the program that takes it on standard input.
        case batch(script: String, submit: String)
    }

    package let start: Start
    package let cluster: Cluster
    /// Of the run.
    package let runDirectory: String
    /// What makes ranks wait.
    package let warnings: [String]

    /// The plan as a person, or a shell, reads it.
    package var text: String {
        switch start {
        case .command(let lines): shellCommand(lines)
        case .batch(let script, _): script
        }
    }
}

/// Plans a launch: both files are read and checked, so that no job waits in a queue to find a mistyped key.
///
/// - Throws: `ConfigurationError` with what is wrong with either file, or where ranks do not fit nodes or shards.
package func planLaunch(_ request: LaunchRequest) throws -> LaunchPlan {
    let cluster = try Cluster(contentsOfFile: request.cluster)
    let placement = try cluster.placement(coresHere: request.coresHere)
    let configurations = try configurations(of: request, on: cluster)
    let shards = configurations.map(\.shards).min() ?? 1
    guard placement.ranks <= shards else {
        let reason = "shards: \(shards) shards cannot be dealt to the \(placement.ranks) ranks of "
        throw ConfigurationError(problems: [
            .init(
                location: request.configuration,
                message: reason + "\(request.cluster); give --set shards=\(placement.ranks), or start fewer ranks"
            )
        ])
    }
    let configuration = configurations[0]
    try requirePlainWords(of: request, configuration)
    let job = LaunchJob(
        cluster: cluster,
        placement: placement,
        settings: MPISettings(cluster),
        program: cluster.program ?? request.program,
        request: request,
        name: configuration.run.name,
        runDirectory: configuration.run.directory,
        runs: configurations.count
    )
    let start: LaunchPlan.Start =
        switch cluster.launcher {
        case .mpirun: .command(job.mpirun + job.run)
        case .slurm: .batch(script: request.isSweep ? job.slurmArrayScript : job.slurmScript, submit: "sbatch")
        case .pbs: .batch(script: job.pbsScript, submit: "qsub")
        }
    return LaunchPlan(
        start: start,
        cluster: cluster,
        runDirectory: configuration.run.directory,
        warnings: configuration.waitingRanks(placement.ranks, in: configuration.run.stages).map(\.warning)
    )
}

/// The configuration of the run, or of every run of the sweep: never none.
///
/// - Throws: what reading them throws, and `ConfigurationError` where the cluster has no job arrays of ours.
private func configurations(of request: LaunchRequest, on cluster: Cluster) throws -> [Configuration] {
    guard request.isSweep else {
        return [
            try loadConfiguration(
                request.configuration,
                overrides: request.overrides,
                communicator: SoloCommunicator()
            )
        ]
    }
    guard cluster.launcher == .slurm else {
        let way =
            cluster.launcher == .mpirun
            ? "start `maxmin sweep \(request.configuration) -- mpirun …` yourself"
            : "put `maxmin sweep \(request.configuration) --only N -- mpirun …` in a job of your own for each run"
        throw ConfigurationError(problems: [
            .init(
                location: request.cluster,
                message: "launcher: a sweep is a job array of Slurm, and this is \(cluster.launcher.rawValue); \(way)"
            )
        ])
    }
    return try Sweep(contentsOfFile: request.configuration).runs(overrides: request.overrides).map(\.configuration)
}

/// Throws where a word that a shell or a batch system will read holds a control character; the cluster's own keys
/// were looked at when it was read.
private func requirePlainWords(
    of request: LaunchRequest,
    _ configuration: Configuration
) throws(ConfigurationError) {
    let words =
        [
            ("--cluster", request.cluster), ("the path of the configuration", request.configuration),
            ("the path of this program", request.program), ("run.name", configuration.run.name),
            ("run.directory", configuration.run.directory),
        ] + request.overrides.map { ("--set", $0) }
    let problems = words.filter { $1.unicodeScalars.contains(where: isControl) }.map { key, text in
        ConfigurationProblem(
            location: nil,
            message: "\(key): \"\(text)\" holds a control character, which no shell command may"
        )
    }
    guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
}

/// Does what a plan says, and gives the exit status to end with: that of the run, under supervision, or 0 for a
/// submitted job.
package func execute(_ plan: LaunchPlan, coresHere: Int, say: (String) -> Void) throws -> Int32 {
    switch plan.start {
    case .command(let lines):
        try plan.cluster.requireCores(here: coresHere)
        say(plan.text)
        let job = SupervisedRun(
            command: lines.flatMap { $0 },
            directory: plan.runDirectory,
            restarts: plan.cluster.supervise.restarts
        )
        return try supervise(job, say: say)
    case .batch(let script, let program):
        try submit(script, to: program)
        return 0
    }
}

/// All that commands and scripts are made of.
struct LaunchJob {
    let cluster: Cluster
    let placement: Placement
    let settings: MPISettings
    let program: String
    let request: LaunchRequest
    /// Of the run, or of the first of a sweep.
    let name: String
    let runDirectory: String
    /// How many runs a sweep has; 1 of a run.
    let runs: Int

    /// `maxmin run`, which goes on from the last checkpoint where there is one.
    var run: [[String]] {
        [[program, "run", request.configuration]] + request.overrides.map { ["--set", $0] }
            + [["--threads", "\(placement.threads)", "--resume"]]
    }

    /// `mpirun` with hosts, slots, binding, network and environment.
    var mpirun: [[String]] {
        var lines = [["mpirun", "-n", "\(placement.ranks)"]]
        if cluster.launcher == .mpirun {
            // Slots are stated, so that mpirun does not count cores by itself.
            let hosts = cluster.nodes.hosts.isEmpty ? ["localhost"] : cluster.nodes.hosts
            lines.append(["--host", hosts.map { "\($0):\(cluster.ranks.perNode)" }.joined(separator: ",")])
            if request.isRoot { lines.append(["--allow-run-as-root"]) }
        }
        lines.append(placementOptions)
        // In a batch script these are variables, which mpirun reads as well.
        if cluster.launcher == .mpirun { lines += settings.parameters.map { ["--mca", $0.name, $0.value] } }
        return lines + settings.variables.map { ["-x", "\($0.name)=\($0.value)"] }
    }

    private var placementOptions: [String] {
        switch cluster.ranks.bind {
        case .none: ["--map-by", "ppr:\(cluster.ranks.perNode):node", "--bind-to", "none"]
        case .core: ["--map-by", "ppr:\(cluster.ranks.perNode):node:PE=\(placement.threads)", "--bind-to", "core"]
        case .numa: ["--map-by", "ppr:\(placement.ranksPerDomain):numa:PE=\(placement.threads)", "--bind-to", "core"]
        }
    }
}
