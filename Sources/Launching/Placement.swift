import Runs
import StrictYAML

/// How many ranks and threads go where.
struct Placement: Equatable {
    let ranks: Int
    /// Threads of each rank.
    let threads: Int
    /// Ranks of one NUMA domain.
    let ranksPerDomain: Int
}

extension Cluster {
    /// Deals the cores of the nodes to ranks.
    ///
    /// - Parameter coresHere: what this machine has, for a file that does not state it.
    /// - Throws: `ConfigurationError` where ranks × threads do not fit.
    func placement(coresHere: Int) throws(ConfigurationError) -> Placement {
        let cores = nodes.cores ?? coresHere
        func refuse(_ message: String) -> ConfigurationError {
            ConfigurationError(problems: [.init(location: file, message: message)])
        }
        let domains = ranks.bind == .numa ? nodes.numaDomains : 1
        let ranksPerDomain = ranks.perNode / domains
        let coresPerDomain = cores / domains
        let location = domains > 1 ? "the \(coresPerDomain) cores of a NUMA domain" : "the \(cores) cores of a node"
        guard ranksPerDomain <= coresPerDomain else {
            throw refuse("ranks.per_node: \(ranksPerDomain) ranks do not fit \(location); start fewer ranks")
        }
        let threads = ranks.threads == 0 ? coresPerDomain / ranksPerDomain : ranks.threads
        guard ranksPerDomain * threads <= coresPerDomain else {
            throw refuse(
                "ranks.threads: \(ranksPerDomain) ranks × \(threads) threads do not fit \(location); "
                    + "at most \(coresPerDomain / ranksPerDomain) threads do"
            )
        }
        return Placement(ranks: nodes.count * ranks.perNode, threads: threads, ranksPerDomain: ranksPerDomain)
    }

    /// Throws where the file describes this machine as larger than it is.
    func requireCores(here coresHere: Int) throws(ConfigurationError) {
        guard nodes.isThisMachine(launcher), let cores = nodes.cores, cores > coresHere else { return }
        throw ConfigurationError(problems: [
            .init(location: file, message: "nodes.cores: \(cores), but this process may use \(coresHere) CPUs here")
        ])
    }
}
