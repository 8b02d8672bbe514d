import Foundation
import StrictYAML
import TestSupport
import Testing

@testable import Runs

@Suite struct PathsInsideTests {
    /// A model `real/model` with a folder `sub`, and the links `link` to it and `deep` to its `sub`.
    private func withModel(_ body: (_ directory: String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let files = FileManager.default
            try files.createDirectory(atPath: directory + "/real/model/sub", withIntermediateDirectories: true)
            try files.createDirectory(atPath: directory + "/real/models", withIntermediateDirectories: true)
            try files.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "real/model")
            let sub = directory + "/real/model/sub"
            try files.createSymbolicLink(atPath: directory + "/deep", withDestinationPath: sub)
            try body(directory)
        }
    }

    @Test(arguments: [
        ("real/model", "real/model"), ("real/model/runs/new", "real/model"), ("link/run", "real/model"),
        ("real/model/run", "link"), ("deep/run", "link"), ("deep/../run", "real/model"),
        ("nowhere/../link/./x", "real/model"), ("real/models/../model/x", "real/model"), ("missing/run", "missing"),
    ])
    func linksAndNamesLeadInside(path: String, model: String) throws {
        try withModel { directory in
            #expect(isInside("\(directory)/\(path)", "\(directory)/\(model)"))
        }
    }

    @Test(arguments: [
        ("real/models", "real/model"), ("real", "real/model"), ("deep/../../run", "real/model"),
        ("link/../run", "link"), ("missing", "missing/run"),
    ])
    func besideIsNotInside(path: String, model: String) throws {
        try withModel { directory in
            #expect(!isInside("\(directory)/\(path)", "\(directory)/\(model)"))
        }
    }

    @Test func relativeAndAbsolutePathsMeet() {
        let here = FileManager.default.currentDirectoryPath
        #expect(isInside("models/m/run", here + "/models/m"))
        #expect(isInside(here + "/models/m/run", "./models/x/../m"))
        #expect(!isInside("run", "models"))
    }

    @Test func tildesAreTakenLiterally() throws {
        let configuration = try Configuration(
            yaml: """
                run: { directory: ~/run, stages: [reward] }
                model: { path: ./~/m }
                data: { preferences: ~/p.csv }
                """,
            file: "run.yaml"
        )
        #expect(configuration.run.directory == "~/run")
        let warned = configuration.literalTildes.map { $0.split(separator: ":")[1] }
        #expect(warned == [" data.preferences", " run.directory"])
    }

    /// No system takes such a path, and going through its folders would take time that grows as its square.
    @Test func longPathsAreRefused() throws {
        let path = String(repeating: "a/", count: 60_000)
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration(yaml: "model: { path: \(path) }", file: "c.yaml")
        }
        #expect(error?.problems.first?.message == "model.path: needs path or null, not one of 120000 bytes")
    }
}
