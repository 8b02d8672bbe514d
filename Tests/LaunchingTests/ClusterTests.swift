import Foundation
import StrictYAML
import TestSupport
import Testing

@testable import Launching

@Suite struct ClusterTests {
    /// What is wrong with a cluster file on a machine of 8 cores, one line each.
    private func problems(_ yaml: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try Cluster(yaml: yaml, file: "c.yaml").placement(coresHere: 8)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: [
        ("launcher: mpirun", []),
        ("{}", ["c.yaml:1: launcher: is missing; it needs one of mpirun, slurm, pbs"]),
        (
            "launcher: slrum",
            ["c.yaml:1: launcher: needs one of mpirun, slurm, pbs, not \"slrum\"; did you mean slurm?"]
        ),
        (
            "launcher: mpirun\nranks: { pernode: 2 }",
            ["c.yaml:2: unknown key ranks.pernode; did you mean ranks.per_node?"]
        ),
        (
            "launcher: mpirun\nranks: { per_node: 4, threads: 3 }",
            ["c.yaml: ranks.threads: 4 ranks × 3 threads do not fit the 8 cores of a node; at most 2 threads do"]
        ),
        (
            "launcher: mpirun\nranks: { per_node: 9 }",
            ["c.yaml: ranks.per_node: 9 ranks do not fit the 8 cores of a node; start fewer ranks"]
        ),
        (
            "launcher: mpirun\nnodes: { cores: 8, numa_domains: 2 }\nranks: { per_node: 2, threads: 5, bind: numa }",
            ["c.yaml: ranks.threads: 1 ranks × 5 threads do not fit the 4 cores of a NUMA domain; at most 4 threads do"]
        ),
        (
            "launcher: mpirun\nnodes: { cores: 8, numa_domains: 2 }\nranks: { per_node: 3, bind: numa }",
            ["c.yaml: ranks.per_node: 3 ranks cannot be dealt evenly to 2 NUMA domains"]
        ),
        (
            "launcher: mpirun\nnodes: { count: 3, hosts: [a, b], cores: 8 }",
            ["c.yaml: nodes.hosts: names 2 hosts, but nodes.count is 3"]
        ),
        (
            "launcher: mpirun\nnodes: { count: 2, hosts: [a, a], cores: 8 }",
            ["c.yaml: nodes.hosts: names a host twice"]
        ),
        (
            "launcher: slurm\nnodes: { hosts: [a] }",
            [
                "c.yaml: nodes.hosts: slurm chooses the hosts; leave the key out",
                "c.yaml: nodes.cores: is missing; only for this machine it need not be stated",
            ]
        ),
        (
            "launcher: pbs\nnodes: { cores: 4 }\nbatch: { time_limit: 5 }",
            ["c.yaml: batch.stop_lead: 300 s is not shorter than batch.time_limit, 300 s"]
        ),
        (
            "launcher: mpirun\nenvironment: [{ name: 1X, value: y }]",
            ["c.yaml:2: environment[0].name: needs name of a variable, not \"1X\""]
        ),
    ])
    func wrongFilesAreNamed(yaml: String, lines: [String]) { #expect(problems(yaml) == lines) }

    @Test func aMachineSmallerThanItsFileIsNamed() throws {
        let cluster = try Cluster(yaml: "launcher: mpirun\nnodes: { cores: 64 }", file: "c.yaml")
        try cluster.requireCores(here: 64)
        #expect(throws: ConfigurationError.self) { try cluster.requireCores(here: 63) }
    }

    @Test func ranksMustFindShards() throws {
        try withTemporaryDirectory { path in
            try "launcher: mpirun\nranks: { per_node: 9, threads: 1 }".write(
                toFile: path + "/c.yaml",
                atomically: true,
                encoding: .utf8
            )
            let request = LaunchRequest(
                cluster: path + "/c.yaml",
                configuration: packageRoot.appendingPathComponent("launch/runs/smoke.yaml").path,
                program: "maxmin",
                coresHere: 16
            )
            do {
                _ = try planLaunch(request)
                Issue.record("9 ranks found 4 shards")
            } catch let error as ConfigurationError {
                #expect("\(error)".contains("4 shards cannot be dealt to the 9 ranks"), "\(error)")
            }
        }
    }

    /// A shell reads every word back as it was.
    @Test func quotedWordsComeBack() throws {
        let words = [
            "a", "", "two words", "it's", "$HOME `x` \"q\" \\", "*.yaml", "a=b;c", "line\nbreak", "~", "#no", "é",
        ]
        let output = Pipe()
        let shell = try startProcess(
            ["bash", "-c", "printf '%s\\0' " + shellCommand(words.map { [$0] })],
            output: output
        )
        let read = output.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        #expect(
            read.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
                String(decoding: $0, as: UTF8.self)
            } == words
        )
    }

    /// Scripts are shell that bash can parse, whatever the names in them.
    @Test(arguments: ["slurm", "pbs"])
    func scriptsParse(launcher: String) throws {
        try withTemporaryDirectory { path in
            try "launcher: \(launcher)\nnodes: { cores: 4 }".write(
                toFile: path + "/it's a cluster.yaml",
                atomically: true,
                encoding: .utf8
            )
            var request = LaunchRequest(
                cluster: path + "/it's a cluster.yaml",
                configuration: packageRoot.appendingPathComponent("launch/runs/smoke.yaml").path,
                program: "/opt/max min/maxmin",
                coresHere: 1
            )
            request.overrides = ["run.name=\"a 'b' $(c)\"", "run.directory=\"runs/x y\""]
            let script = try planLaunch(request).text
            let parser = try startProcess(["bash", "-n", "-c", script])
            parser.waitUntilExit()
            #expect(parser.terminationStatus == 0)
            #expect(script.contains("maxmin-a--b----c-\n"))
            #expect(script.contains("'/opt/max min/maxmin' supervise --run 'runs/x y' --restarts 3"))
        }
    }
}
