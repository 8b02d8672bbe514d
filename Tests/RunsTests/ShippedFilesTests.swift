import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct ShippedFilesTests {
    private static let files: [String] = {
        let folder = packageRoot.appendingPathComponent("launch/runs")
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
    }()
    /// Files of sweeps, and no configurations.
    static let sweeps = files.filter { $0.hasSuffix("seeds.yaml") }
    static let configurations = files.filter { !sweeps.contains($0) }

    @Test func thereAreConfigurations() { #expect(Self.configurations.contains("quickstart.yaml")) }

    @Test(arguments: configurations)
    func everyConfigurationIsRightAndSaysHowToRunIt(name: String) throws {
        let path = packageRoot.appendingPathComponent("launch/runs/\(name)").path
        let text = try String(contentsOfFile: path, encoding: .utf8)
        _ = try Configuration(yaml: text, file: name)
        let header = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.joined(separator: "\n")
        #expect(header.contains("maxmin run launch/runs/\(name)"))
    }

    @Test(arguments: sweeps) func everySweepIsRightAndSaysHowToRunIt(name: String) throws {
        let text = try String(contentsOf: packageRoot.appendingPathComponent("launch/runs/\(name)"), encoding: .utf8)
        let sweep = try Sweep(yaml: text, file: name)
        #expect(Self.configurations.map { "launch/runs/\($0)" }.contains(sweep.base))
        #expect(text.contains("maxmin sweep launch/runs/\(name)"))
    }

    @Test func theSweepReferenceIsUpToDate() throws {
        let file = packageRoot.appendingPathComponent("docs/sweeps.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let start = try #require(text.range(of: "## Top level\n"))
        let written = String(text[..<start.lowerBound]) + sweepReference()
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] != nil {
            try written.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == written, "regenerate docs/sweeps.md")
    }

    @Test func theReferenceIsUpToDate() throws {
        let file = packageRoot.appendingPathComponent("docs/configuration.md")
        let written = configurationReference()
        // `UPDATE_REFERENCE=1 swift test --filter ShippedFilesTests` writes it anew.
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] != nil {
            try written.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == written, "regenerate docs/configuration.md")
    }
}
