import Collectives
import Foundation
import StrictYAML
import TestSupport
import Testing

@testable import Runs

@Suite struct RankProfileTests {
    private func traits(_ values: [String: String]) -> [RankTrait] {
        values.sorted { $0.key < $1.key }.map { RankTrait(name: $0.key, value: $0.value, remedy: "make them equal") }
    }

    @Test func equalRanksHaveNoDifference() {
        #expect(differences(between: Array(repeating: traits(["a": "1", "b": "2"]), count: 3)).isEmpty)
    }

    @Test func everyDifferenceIsALineThatNamesTheRanks() {
        let ranks = [
            traits(["a": "1", "b": "2"]), traits(["a": "1", "b": "3"]), traits(["a": "1", "b": "2", "c": "x"]),
        ]
        #expect(
            differences(between: ranks).map(\.description) == [
                "ranks differ in b: ranks 0, 2: 2; rank 1: 3; make them equal",
                "ranks differ in c: ranks 0–1: missing; rank 2: x; make them equal",
            ]
        )
    }

    @Test func onlyTheRootTellsAndNoRankGoesOn() {
        let error = #expect(throws: ConfigurationError.self) {
            _ = try InProcessGroup.run(ranks: 3) { communicator in
                try requireEqualRanks(traits(["a": "\(communicator.rank / 2)"]), communicator: communicator)
                Issue.record("a rank went on")
            }
        }
        #expect(error?.problems.count == 1)
    }

    /// Programs, arguments and libraries are there, and files that differ by a byte, or in size alone.
    @Test func aChangedFileChangesTheProfile() throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/preferences.jsonl"
            let configuration = try Configuration(
                yaml: "data: { preferences: \(file) }\nrun: { stages: [reward] }",
                file: "run.yaml"
            )
            var request = RunRequest(configuration: "run.yaml")
            request.commandLine = ["maxmin", "run", "run.yaml"]
            func profile() -> [String: String] {
                let traits = rankTraits(configuration, request, transport: "threads")
                return Dictionary(uniqueKeysWithValues: traits.map { ($0.name, $0.value) })
            }
            let missing = profile()
            #expect(missing[file] == "missing")
            #expect(missing["the arguments"] == "run run.yaml")
            #expect(missing["the program"]?.contains("hash") == true)
            #expect(missing["OpenBLAS"]?.contains("OpenBLAS") == true)
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: file))
            let first = profile()[file]
            try Data([1, 2, 4]).write(to: URL(fileURLWithPath: file))
            let second = profile()[file]
            #expect(first?.hasPrefix("3 bytes") == true && second?.hasPrefix("3 bytes") == true && first != second)
            #expect(profile()[file] == second)
        }
    }
}
