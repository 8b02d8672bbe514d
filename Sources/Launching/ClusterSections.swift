import Runs
import StrictYAML

extension Cluster {
    /// `nodes`: the machines.
    package struct NodesSection: Equatable, Sendable {
        package var count = 1
        package var hosts: [String] = []
        package var cores: Int?
        package var numaDomains = 1

        mutating func read(_ keys: inout SectionReader) {
            keys.read("count", &count, .integer(.from(1, to: 65_536), unit: "nodes"), "How many nodes.")
            keys.read(
                "hosts",
                &hosts,
                .hostNames,
                "mpirun: their names, one a node; none: this machine. Batch systems choose the hosts themselves."
            )
            keys.read(
                "cores",
                &cores,
                .optional(.integer(.from(1, to: 65_536), unit: "cores")),
                "Cores of a node that ranks may use; null, for this machine only: the CPUs that this process may use."
            )
            keys.read(
                "numa_domains",
                &numaDomains,
                .integer(.from(1, to: 1024), unit: "domains"),
                "NUMA domains of a node, which share its cores evenly."
            )
        }
    }

    /// `ranks`: how a node's cores are dealt to ranks.
    package struct RanksSection: Equatable, Sendable {
        /// Which cores a rank keeps to.
        package enum Binding: String, CaseIterable, Sendable { case none, core, numa }

        package var perNode = 1
        package var threads = 0
        package var bind = Binding.none

        mutating func read(_ keys: inout SectionReader) {
            keys.read("per_node", &perNode, .integer(.from(1, to: 65_536), unit: "ranks"), "Ranks of each node.")
            keys.read(
                "threads",
                &threads,
                .integer(.from(0, to: 1024), unit: "threads"),
                "Threads of each rank; 0: the node's cores shared evenly."
            )
            keys.read(
                "bind",
                &bind,
                .choice(Binding.self),
                "none: a rank may run on any core; core: each rank has `threads` cores of its own; numa: the same, "
                    + "and ranks are "
                    + "dealt evenly to NUMA domains, each with its cores in one."
            )
        }
    }

    /// `network`: how ranks of different nodes reach each other.
    package struct NetworkSection: Equatable, Sendable {
        /// What carries messages.
        package enum Transport: String, CaseIterable, Sendable { case auto, tcp, ucx }

        package var transport = Transport.auto
        package var interface: String?
        package var keepaliveIdle = 10
        package var keepaliveInterval = 5
        package var keepaliveProbes = 3
        package var remoteShell: String?

        mutating func read(_ keys: inout SectionReader) {
            keys.read(
                "transport",
                &transport,
                .choice(Transport.self),
                "auto: Open MPI's choice; tcp: sockets, and shared memory within a node; ucx: UCX, for InfiniBand."
            )
            keys.read(
                "interface",
                &interface,
                .optional(.word),
                "tcp: network interface, as `eth0` or `10.0.0.0/24`; ucx: device and port, as `mlx5_0:1`; null: any."
            )
            keys.read(
                "keepalive_idle",
                &keepaliveIdle,
                .integer(.from(1, to: 32_767), unit: "seconds"),
                "mpirun: silence of a node after which it is asked whether it is still there."
            )
            keys.read(
                "keepalive_interval",
                &keepaliveInterval,
                .integer(.from(1, to: 32_767), unit: "seconds"),
                "mpirun: time between such questions."
            )
            keys.read(
                "keepalive_probes",
                &keepaliveProbes,
                .integer(.from(1, to: 127), unit: "questions"),
                "mpirun: unanswered questions after which the job ends."
            )
            keys.read(
                "remote_shell",
                &remoteShell,
                .optional(.path),
                "mpirun: program that starts a command on a host, `PROGRAM HOST COMMAND…`; null: ssh."
            )
        }
    }

    /// `batch`: what the batch system is asked for.
    package struct BatchSection: Equatable, Sendable {
        package var timeLimit = 1440
        package var stopLead = 300
        package var queue: String?
        package var account: String?
        package var directives: [String] = []
        package var setup: [String] = []

        mutating func read(_ keys: inout SectionReader) {
            keys.read(
                "time_limit",
                &timeLimit,
                .integer(.from(1, to: 525_600), unit: "minutes"),
                "Time that a job asks for; a run that needs longer is queued again."
            )
            keys.read(
                "stop_lead",
                &stopLead,
                .integer(.from(1, to: 65_535), unit: "seconds"),
                "How long before the limit the run is told to save: 1.5 times what a checkpoint takes and a minute, "
                    + "at least."
            )
            keys.read("queue", &queue, .optional(.word), "Slurm's partition, or PBS's queue; null: the default one.")
            keys.read("account", &account, .optional(.word), "Account that pays; null: the default one.")
            keys.read(
                "directives",
                &directives,
                .texts,
                "Further options of sbatch or qsub, each a line, as `--constraint=skylake`."
            )
            keys.read("setup", &setup, .texts, "Shell lines before the run, as `module load openmpi`.")
        }
    }

    /// `supervise`: what happens after a failure.
    package struct SuperviseSection: Equatable, Sendable {
        package var restarts = 3

        mutating func read(_ keys: inout SectionReader) {
            keys.read(
                "restarts",
                &restarts,
                .integer(.from(0, to: 1000), unit: "restarts"),
                "Restarts without progress (a new checkpoint, a finished stage) after which a failing run is given up."
            )
        }
    }

    /// An element of `environment`.
    package struct EnvironmentVariable: Equatable, Sendable {
        package var name = "X"
        package var value = ""

        mutating func read(_ keys: inout SectionReader) {
            keys.readRequired("name", &name, .variableName, "Name of the variable.")
            keys.readRequired("value", &value, .text, "Its value, taken literally.")
        }

    }
}
