import Runs

/// What Open MPI is told about the network: parameters of its components, and environment variables of the ranks.
struct MPISettings: Equatable {
    /// MCA parameters: `--mca NAME VALUE`, or the variable `OMPI_MCA_NAME`.
    var parameters: [(name: String, value: String)] = []
    /// Environment variables of the ranks.
    var variables: [Cluster.EnvironmentVariable] = []

    static func == (a: MPISettings, b: MPISettings) -> Bool {
        a.parameters.elementsEqual(b.parameters, by: ==) && a.variables == b.variables
    }

    /// The settings of a cluster file.
    init(_ cluster: Cluster) {
        let network = cluster.network
        switch network.transport {
        case .auto:
            break
        case .tcp:
            parameters += [("pml", "ob1"), ("btl", "tcp,vader,self")]
            if let interface = network.interface {
                parameters += [("btl_tcp_if_include", interface), ("oob_tcp_if_include", interface)]
            }
        case .ucx:
            parameters.append(("pml", "ucx"))
            if let device = network.interface { variables.append(.init(name: "UCX_NET_DEVICES", value: device)) }
        }
        // srun watches its nodes itself. Without these, mpirun notices a cut network after 500 s.
        if cluster.launcher != .slurm, cluster.nodes.count > 1 {
            parameters += [
                ("oob_tcp_keepalive_time", "\(network.keepaliveIdle)"),
                ("oob_tcp_keepalive_intvl", "\(network.keepaliveInterval)"),
                ("oob_tcp_keepalive_probes", "\(network.keepaliveProbes)"),
            ]
            if let shell = network.remoteShell { parameters.append(("plm_rsh_agent", shell)) }
        }
        variables += cluster.environment
    }
}
