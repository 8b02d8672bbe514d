import Foundation
import StrictYAML
import TestSupport
import Testing

@testable import Launching

/// Commands and scripts with words that try to be more than words, run by a shell whose programs only note their
/// arguments.
@Suite(.timeLimit(.minutes(5))) struct HostileWordsTests {
    /// What breaks out of quotation marks that were put around Characters, and what shells expand.
    private static let hostile = [
        "'\u{301}; touch PWNED; '", "x'\u{301}$(touch PWNED)", "'\u{200D}`touch PWNED`'", "\u{600}'; touch PWNED #",
        "\"; touch PWNED; \"", "$(touch PWNED)", "`touch PWNED`", "\\'; touch PWNED; \\'", "a & touch PWNED &", "~/x *",
    ]

    /// A folder in which a hostile text names everything that a launch is made of.
    private struct Launch {
        let folder: String
        let text: String
        /// Words without a slash, as names of files.
        var name: String { text.replacing("/", with: "-") }
        var program: String { "\(folder)/bin \(name)/maxmin" }
        var configuration: String { "\(folder)/run \(name).yaml" }

        /// Makes the files; the programs write their arguments and their variable `HOSTILE`, each ended by a zero byte.
        init(_ text: String, launcher: String, in folder: String) throws {
            self.folder = folder
            self.text = text
            let files = FileManager.default
            let cluster = """
                launcher: \(launcher)
                program: \(quotedYAML("\(folder)/bin \(text.replacing("/", with: "-"))/maxmin"))
                nodes: { cores: 4 }
                batch: { time_limit: 1, stop_lead: 59 }
                environment: [{ name: HOSTILE, value: \(quotedYAML(text)) }]
                """
            try cluster.write(toFile: "\(folder)/cluster.yaml", atomically: true, encoding: .utf8)
            try files.createDirectory(atPath: "\(folder)/path", withIntermediateDirectories: true)
            try files.createDirectory(atPath: "\(folder)/bin \(name)", withIntermediateDirectories: true)
            try files.copyItem(
                atPath: packageRoot.appendingPathComponent("launch/runs/smoke.yaml").path,
                toPath: configuration
            )
            let stub = """
                #!/bin/bash
                printf '%s\\0' "${0##*/}" "$@" >>\(folder)/words
                printf '%s\\0' "$HOSTILE" >>\(folder)/variables
                [[ $1 != supervise ]] || exit 75
                """
            for program in ["\(folder)/path/mpirun", "\(folder)/path/scontrol", program] {
                try stub.write(toFile: program, atomically: true, encoding: .utf8)
                try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            }
        }

        /// Plans the launch, and has bash do what the plan says.
        func run() throws {
            var request = LaunchRequest(
                cluster: "\(folder)/cluster.yaml",
                configuration: configuration,
                program: "unused",
                coresHere: 4
            )
            request.overrides = [
                "run.name=\(quotedYAML(text))", "run.directory=\(quotedYAML("\(folder)/runs \(text)"))",
            ]
            let script = try planLaunch(request).text
            try script.write(toFile: "\(folder)/script", atomically: true, encoding: .utf8)
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/bash")
            shell.arguments = ["\(folder)/script"]
            shell.currentDirectoryURL = URL(fileURLWithPath: folder)
            shell.environment = [
                "PATH": "\(folder)/path:/usr/bin:/bin", "HOME": folder, "PBS_O_WORKDIR": folder, "SLURM_JOB_ID": "1",
                "PBS_NODEFILE": "nodes",
            ]
            shell.standardInput = FileHandle.nullDevice
            shell.standardOutput = FileHandle.nullDevice
            shell.standardError = FileHandle.nullDevice
            try shell.run()
            shell.waitUntilExit()
        }

        /// What the programs noted.
        func noted(_ file: String) -> [String] {
            let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data()
            return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    @Test(arguments: ["mpirun", "slurm", "pbs"], hostile)
    func nothingIsExecuted(launcher: String, text: String) throws {
        try withTemporaryDirectory { folder in
            let launch = try Launch(text, launcher: launcher, in: folder)
            try launch.run()
            let left = FileManager.default.subpaths(atPath: folder) ?? []
            #expect(!left.contains { $0.hasSuffix("PWNED") }, "\(left)")
            func contains(_ words: [String], _ word: String) -> Bool {
                words.contains { $0.utf8.elementsEqual(word.utf8) }
            }
            let words = launch.noted("words")
            #expect(contains(words, launch.configuration), "\(words)")
            #expect(contains(words, "run.name=\(quotedYAML(text))"), "\(words)")
            switch launcher {
            case "mpirun":
                #expect(
                    words.first == "mpirun" && contains(words, "HOSTILE=\(text)") && contains(words, launch.program)
                )
            case "slurm":
                #expect(
                    words.first == "maxmin" && contains(words, "\(folder)/runs \(text)") && contains(words, "scontrol")
                )
                #expect(launch.noted("variables").first?.utf8.elementsEqual(text.utf8) == true)
            default:
                // Submitted again: the program, once more, by its own path.
                #expect(
                    words.count { $0 == "maxmin" } == 2 && contains(words, "launch")
                        && contains(words, "HOSTILE=\(text)")
                )
            }
        }
    }

    /// A shell reads every word back byte by byte, whatever scalars join its quotation marks.
    @Test func quotedWordsComeBack() throws {
        let joining = ["\u{301}", "\u{200D}", "\u{FE0F}", "\u{600}", "\u{1F3FD}", "\u{E0001}"]
        let words = Self.hostile + joining.flatMap { ["'\($0)", "\($0)'", "a\($0)'\($0)b'", "''\($0)''"] }
        let output = Pipe()
        let shell = try startProcess(
            ["bash", "-c", "printf '%s\\0' " + shellCommand(words.map { [$0] })],
            output: output
        )
        let read = output.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        let back = read.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { Array($0) }
        #expect(back == words.map { Array($0.utf8) })
    }

    @Test(arguments: [
        ("batch: { queue: \"a\\n#SBATCH --wrap=x\" }", "batch.queue"), ("batch: { queue: \"a b\" }", "batch.queue"),
        ("batch: { account: \"a\\r\" }", "batch.account"), ("batch: { account: \"$(x)\" }", "batch.account"),
        ("batch: { directives: [\"--x\\ny\"] }", "batch.directives"), ("batch: { setup: [\"a\\nb\"] }", "batch.setup"),
        ("batch: { setup: [\"a\\x85b\"] }", "batch.setup"), ("network: { interface: \"eth0;x\" }", "network.interface"),
        ("network: { remote_shell: \"a\\x1bb\" }", "network.remote_shell"), ("program: \"a\\nb\"", "program"),
        ("environment: [{ name: A, value: \"a\\nb\" }]", "environment[0].value"),
        ("nodes: { cores: 4, hosts: [\"-oProxyCommand=x\"] }", "nodes.hosts"),
        ("nodes: { cores: 4, hosts: [\"a,b\"] }", "nodes.hosts"),
        ("nodes: { cores: 4, hosts: [\"a\\n\"] }", "nodes.hosts"),
    ])
    func clusterKeysAreNamed(yaml: String, key: String) {
        let nodes = yaml.hasPrefix("nodes") ? "" : "nodes: { cores: 4 }\n"
        for launcher in ["mpirun", "slurm", "pbs"] {
            let error = #expect(throws: ConfigurationError.self) {
                try Cluster(yaml: "launcher: \(launcher)\n\(nodes)\(yaml)", file: "c.yaml")
            }
            #expect(error?.problems.contains { $0.description.contains("\(key): ") } == true, "\("\(error as Any)")")
        }
    }

    @Test(arguments: ["run.name=\"a\\nb\"", "run.directory=\"a\\rb\"", "run.seed=1 # \u{202E}"])
    func wordsOfTheRunAreNamed(override: String) throws {
        try withTemporaryDirectory { folder in
            let launch = try Launch("x", launcher: "slurm", in: folder)
            var request = LaunchRequest(
                cluster: "\(folder)/cluster.yaml",
                configuration: launch.configuration,
                program: "maxmin",
                coresHere: 4
            )
            request.overrides = [override]
            let error = #expect(throws: ConfigurationError.self) { try planLaunch(request) }
            #expect("\(error as Any)".contains("holds a control character"))
        }
    }
}
