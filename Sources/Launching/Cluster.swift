import Failures
import Runs
package import StrictYAML

/// A cluster as its file in `cluster-configs/` describes it: where ranks run, how they are bound, how they reach each
/// other, and which batch system starts them.
///
/// Every key is declared once, where its section reads it; `docs/clusters.md` is made from those declarations.
package struct Cluster: Equatable, Sendable {
    /// What starts the ranks.
    package enum Launcher: String, CaseIterable, Sendable { case mpirun, slurm, pbs }

    package private(set) var launcher = Launcher.mpirun
    /// Path of `maxmin` on the nodes; nil: the program that is running.
    package private(set) var program: String?
    package private(set) var nodes = NodesSection()
    package private(set) var ranks = RanksSection()
    package private(set) var network = NetworkSection()
    package private(set) var environment: [EnvironmentVariable] = []
    package private(set) var batch = BatchSection()
    package private(set) var supervise = SuperviseSection()
    /// Where it was read from, for messages.
    package let file: String

    /// Decodes YAML text.
    ///
    /// - Throws: every problem at once.
    package init(yaml text: String, file: String) throws(ConfigurationError) {
        self = try readDocument(text, file: file) {
            Cluster(&$0, file: file)
        } checks: {
            $0.checks()
        }.value
    }

    /// Reads a cluster file.
    package init(contentsOfFile path: String) throws {
        try self.init(yaml: readYAMLText(path), file: path)
    }

    init(_ top: inout SectionReader, file: String) {
        self.file = file
        top.section("nodes") { nodes.read(&$0) }
        top.section("ranks") { ranks.read(&$0) }
        top.section("network") { network.read(&$0) }
        top.section("batch") { batch.read(&$0) }
        top.section("supervise") { supervise.read(&$0) }
        top.readRequired(
            "launcher",
            &launcher,
            .choice(Launcher.self),
            "What starts the ranks: mpirun at once; slurm and pbs in a batch job."
        )
        top.read(
            "program",
            &program,
            .optional(.path),
            "Path of `maxmin` on the nodes; null: that of the program which reads this, as on a shared file system."
        )
        top.readList(
            "environment",
            &environment,
            of: EnvironmentVariable(name: "", value: ""),
            standard: "[]",
            "Environment variables of every rank."
        ) { $0.read(&$1) }
    }
}

extension Cluster {
    /// What is wrong with a file whose keys are each right; what depends on the cores of a node is `placement`'s to
    /// say.
    private func checks() -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func require(_ condition: Bool, _ message: @autoclosure () -> String) {
            if !condition { problems.append(.init(location: file, message: message())) }
        }
        switch launcher {
        case .mpirun:
            require(
                nodes.hosts.count == nodes.count || (nodes.hosts.isEmpty && nodes.count == 1),
                "nodes.hosts: names \(nodes.hosts.count) hosts, but nodes.count is \(nodes.count)"
            )
            require(Set(nodes.hosts).count == nodes.hosts.count, "nodes.hosts: names a host twice")
        case .slurm, .pbs:
            require(nodes.hosts.isEmpty, "nodes.hosts: \(launcher.rawValue) chooses the hosts; leave the key out")
            require(
                batch.stopLead < 60 * batch.timeLimit,
                "batch.stop_lead: \(batch.stopLead) s is not shorter than batch.time_limit, \(60 * batch.timeLimit) s"
            )
        }
        require(
            nodes.cores != nil || nodes.isThisMachine(launcher),
            "nodes.cores: is missing; only for this machine it need not be stated"
        )
        if let cores = nodes.cores {
            require(
                cores % nodes.numaDomains == 0,
                "nodes.numa_domains: \(nodes.numaDomains) domains cannot share \(cores) cores evenly"
            )
        }
        require(
            ranks.bind != .numa || ranks.perNode % nodes.numaDomains == 0,
            "ranks.per_node: \(ranks.perNode) ranks cannot be dealt evenly to \(nodes.numaDomains) NUMA domains"
        )
        for (key, text) in shellTexts {
            require(!text.unicodeScalars.contains(where: isControl), "\(key): \"\(text)\" holds a control character")
        }
        return problems
    }

    /// What goes to shells and batch systems as it stands, by key.
    private var shellTexts: [(key: String, text: String)] {
        let single = [("program", program), ("network.remote_shell", network.remoteShell)]
        return single.compactMap { key, text in text.map { (key, $0) } }
            + environment.enumerated().map { ("environment[\($0)].value", $1.value) }
            + batch.directives.map { ("batch.directives", $0) } + batch.setup.map { ("batch.setup", $0) }
    }
}

extension Cluster.NodesSection {
    /// Whether the ranks run on the machine that reads the file.
    func isThisMachine(_ launcher: Cluster.Launcher) -> Bool { launcher == .mpirun && hosts.isEmpty }
}

/// The key tables of `docs/clusters.md`, made from the declarations; a test compares the file's end with this.
package func clusterReference() -> String {
    var top = SectionReader(path: "", node: nil)
    _ = Cluster(&top, file: "")
    return referenceTables(top)
}
