import Foundation
import TestSupport
import Testing

@testable import Launching

/// The files of `cluster-configs/`, and what is made of each.
@Suite struct ShippedClustersTests {
    static let files: [String] = {
        let folder = packageRoot.appendingPathComponent("cluster-configs").path
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }()

    @Test func theFilesAreThere() {
        #expect(
            Self.files == [
                "ethernet-16.yaml", "laptop.yaml", "one-node.yaml", "pbs.yaml", "slurm-infiniband-64.yaml",
            ]
        )
    }

    /// The launch command in a file's header, read as its reader would type it, gives the golden command or script.
    @Test(arguments: files)
    func theHeadersCommandGivesTheGoldenText(file: String) throws {
        let path = packageRoot.appendingPathComponent("cluster-configs/\(file)").path
        let header = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").prefix {
            $0.hasPrefix("#")
        }
        let line = try #require(header.first { $0.contains("maxmin launch") })
        let words = line.split(separator: " ").map(String.init).drop { $0 != "launch" }.dropFirst()
        #expect(Array(words.prefix(2)) == ["--cluster", "cluster-configs/\(file)"])
        #expect(words.last == "--execute")

        var request = LaunchRequest(
            cluster: path,
            configuration: packageRoot.appendingPathComponent(words[words.startIndex + 2]).path,
            program: "/opt/maxmin/bin/maxmin",
            coresHere: 8
        )
        request.overrides = zip(words, words.dropFirst()).filter { $0.0 == "--set" }.map(\.1)
        let text = try planLaunch(request).text.split(separator: packageRoot.path + "/").joined() + "\n"

        let golden = packageRoot.appendingPathComponent("Tests/Fixtures/Launch/\(file.dropLast(5)).sh")
        // `UPDATE_REFERENCE=1 swift test --filter ShippedClustersTests` writes it anew.
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] != nil {
            try text.write(to: golden, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: golden, encoding: .utf8) == text)
    }

    @Test func theReferenceIsUpToDate() throws {
        let file = packageRoot.appendingPathComponent("docs/clusters.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let start = try #require(text.range(of: "## nodes\n"))
        let written = text[..<start.lowerBound] + clusterReference()
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] != nil {
            try String(written).write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == written, "regenerate docs/clusters.md")
    }
}
