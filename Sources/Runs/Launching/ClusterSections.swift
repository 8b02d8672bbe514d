extension Cluster {
    /// `nodes`: the machines.
    package struct NodesSection: Equatable, Sendable {
        package let count: Int
        package let hosts: [String]
        package let cores: Int?
        package let numaDomains: Int

        init(_ keys: inout SectionReader) {
            count = keys.read("count", .integer(.from(1, to: 65_536), unit: "nodes"), 1, "How many nodes.")
            hosts = keys.read(
                "hosts",
                .hostNames,
                [],
                "mpirun: their names, one a node; none: this machine. Batch systems choose the hosts themselves."
            )
            cores = keys.read(
                "cores",
                .optional(.integer(.from(1, to: 65_536), unit: "cores")),
                nil,
                "Cores of a node that ranks may use; null, for this machine only: the CPUs that this process may use."
            )
            numaDomains = keys.read(
                "numa_domains",
                .integer(.from(1, to: 1024), unit: "domains"),
                1,
                "NUMA domains of a node, which share its cores evenly."
            )
        }
    }

    /// `ranks`: how a node's cores are dealt to ranks.
    package struct RanksSection: Equatable, Sendable {
        /// Which cores a rank keeps to.
        package enum Binding: String, CaseIterable, Sendable { case none, core, numa }

        package let perNode: Int
        package let threads: Int
        package let bind: Binding

        init(_ keys: inout SectionReader) {
            perNode = keys.read("per_node", .integer(.from(1, to: 65_536), unit: "ranks"), 1, "Ranks of each node.")
            threads = keys.read(
                "threads",
                .integer(.from(0, to: 1024), unit: "threads"),
                0,
                "Threads of each rank; 0: the node's cores shared evenly."
            )
            bind = keys.read(
                "bind",
                .choice(Binding.self),
                .none,
                "none: a rank may run on any core; core: each rank has `threads` cores of its own; numa: the same, and ranks are "
                    + "dealt evenly to NUMA domains, each with its cores in one."
            )
        }
    }

    /// `network`: how ranks of different nodes reach each other.
    package struct NetworkSection: Equatable, Sendable {
        /// What carries messages.
        package enum Transport: String, CaseIterable, Sendable { case auto, tcp, ucx }

        package let transport: Transport
        package let interface: String?
        package let keepaliveIdle: Int
        package let keepaliveInterval: Int
        package let keepaliveProbes: Int
        package let remoteShell: String?

        init(_ keys: inout SectionReader) {
            transport = keys.read(
                "transport",
                .choice(Transport.self),
                .auto,
                "auto: Open MPI's choice; tcp: sockets, and shared memory within a node; ucx: UCX, for InfiniBand."
            )
            interface = keys.read(
                "interface",
                .optional(.word),
                nil,
                "tcp: network interface, as `eth0` or `10.0.0.0/24`; ucx: device and port, as `mlx5_0:1`; null: any."
            )
            keepaliveIdle = keys.read(
                "keepalive_idle",
                .integer(.from(1, to: 32_767), unit: "seconds"),
                10,
                "mpirun: silence of a node after which it is asked whether it is still there."
            )
            keepaliveInterval = keys.read(
                "keepalive_interval",
                .integer(.from(1, to: 32_767), unit: "seconds"),
                5,
                "mpirun: time between such questions."
            )
            keepaliveProbes = keys.read(
                "keepalive_probes",
                .integer(.from(1, to: 127), unit: "questions"),
                3,
                "mpirun: unanswered questions after which the job ends."
            )
            remoteShell = keys.read(
                "remote_shell",
                .optional(.path),
                nil,
                "mpirun: program that starts a command on a host, `PROGRAM HOST COMMAND…`; null: ssh."
            )
        }
    }

    /// `batch`: what the batch system is asked for.
    package struct BatchSection: Equatable, Sendable {
        package let timeLimit: Int
        package let stopLead: Int
        package let queue: String?
        package let account: String?
        package let directives: [String]
        package let setup: [String]

        init(_ keys: inout SectionReader) {
            timeLimit = keys.read(
                "time_limit",
                .integer(.from(1, to: 525_600), unit: "minutes"),
                1440,
                "Time that a job asks for; a run that needs longer is queued again."
            )
            stopLead = keys.read(
                "stop_lead",
                .integer(.from(1, to: 65_535), unit: "seconds"),
                300,
                "How long before the limit the run is told to save: 1.5 times what a checkpoint takes and a minute, at least."
            )
            queue = keys.read(
                "queue",
                .optional(.word),
                nil,
                "Slurm's partition, or PBS's queue; null: the default one."
            )
            account = keys.read("account", .optional(.word), nil, "Account that pays; null: the default one.")
            directives = keys.read(
                "directives",
                .texts,
                [],
                "Further options of sbatch or qsub, each a line, as `--constraint=skylake`."
            )
            setup = keys.read("setup", .texts, [], "Shell lines before the run, as `module load openmpi`.")
        }
    }

    /// `supervise`: what happens after a failure.
    package struct SuperviseSection: Equatable, Sendable {
        package let restarts: Int

        init(_ keys: inout SectionReader) {
            restarts = keys.read(
                "restarts",
                .integer(.from(0, to: 1000), unit: "restarts"),
                3,
                "Restarts without progress (a new checkpoint, a finished stage) after which a failing run is given up."
            )
        }
    }

    /// An element of `environment`.
    package struct EnvironmentVariable: Equatable, Sendable {
        package let name: String
        package let value: String

        init(_ keys: inout SectionReader) {
            name = keys.readRequired("name", .variableName, placeholder: "X", "Name of the variable.")
            value = keys.readRequired("value", .text, placeholder: "", "Its value, taken literally.")
        }

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}
