import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct ShippedFilesTests {
    static let configurations: [String] = {
        let folder = packageRoot.appendingPathComponent("launch/runs")
        let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return files.filter { ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) && $0 != sweep }.sorted()
    }()
    /// A sweep's file, and no configuration.
    static let sweep = "seeds.yaml"

    @Test func thereAreConfigurations() { #expect(Self.configurations.contains("quickstart.yaml")) }

    @Test(arguments: configurations)
    func everyConfigurationIsRightAndSaysHowToRunIt(name: String) throws {
        let path = packageRoot.appendingPathComponent("launch/runs/\(name)").path
        let text = try String(contentsOfFile: path, encoding: .utf8)
        _ = try Configuration(yaml: text, file: name)
        let header = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.joined(separator: "\n")
        #expect(header.contains("maxmin run launch/runs/\(name)"))
    }

    @Test func theSweepIsRightAndSaysHowToRunIt() throws {
        let text = try String(
            contentsOf: packageRoot.appendingPathComponent("launch/runs/\(Self.sweep)"),
            encoding: .utf8
        )
        let sweep = try Sweep(yaml: text, file: Self.sweep)
        #expect(sweep.base == "launch/runs/quickstart.yaml" && text.contains("maxmin sweep launch/runs/\(Self.sweep)"))
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
