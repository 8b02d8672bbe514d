import Failures
import Foundation
import MaxMinPolicy
import StrictYAML
import Testing

@testable import Runs

@Suite struct SweepTests {
    /// The base of these sweeps, in a folder of its own.
    private func sweep(_ grid: String, set: String = "{}", base: String = "policy: { beta: 0.1 }") throws -> Sweep {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.appendingPathComponent("base.yaml").path
        try base.write(toFile: path, atomically: true, encoding: .utf8)
        let text = "base: \(path)\ndirectory: \(folder.path)/runs\ngrid:\n\(grid)\nset: \(set)\n"
        return try Sweep(yaml: text, file: "s.yaml")
    }

    private func problems(_ body: () throws -> Void) -> [String] {
        do {
            try body()
            return []
        } catch {
            return (error as? ConfigurationError)?.problems.map(\.description) ?? ["\(error)"]
        }
    }

    @Test func everyCombinationIsARunAndTheLastKeyVariesFastest() throws {
        let sweep = try sweep("  run.seed: [1, 2]\n  policy.beta: [0.02, 5e-2]", set: "{sft.steps: 7, policy.steps: 9}")
        let runs = try sweep.runs(overrides: ["run.threads=3", "policy.steps=8"])
        #expect(runs.map(\.index) == [1, 2, 3, 4])
        #expect(
            runs.map(\.name) == [
                "seed=1,beta=0.02", "seed=1,beta=5e-2", "seed=2,beta=0.02", "seed=2,beta=5e-2",
            ]
        )
        #expect(runs.map(\.seriesName) == ["beta=0.02", "beta=5e-2", "beta=0.02", "beta=5e-2"])
        #expect(runs.map(\.configuration.run.seed) == [1, 1, 2, 2])
        #expect(runs.map(\.configuration.policy.training.beta) == [0.02, 0.05, 0.02, 0.05])
        // The options of the command line come after those of the file.
        for run in runs {
            #expect(run.configuration.run.threads == 3 && run.configuration.sft.steps == 7)
            #expect(run.configuration.policy.training.steps == 8)
            #expect(run.configuration.run.directory == "\(sweep.directory)/\(run.name)")
        }
        #expect(try sweep.runs().map(\.name) == runs.map(\.name))
    }

    @Test func theOptionsMakeTheSameConfiguration() throws {
        let sweep = try sweep("  policy.objectives: [[maxmin], [maxmin, single]]\n  run.name: ['1', 'a: b', \"x, y\"]")
        for run in try sweep.runs() {
            let text = try readYAMLText(sweep.base)
            #expect(try Configuration(yaml: text, file: "", overrides: run.overrides) == run.configuration)
        }
        #expect(try sweep.runs().map(\.configuration.run.name) == ["1", "a: b", "x, y", "1", "a: b", "x, y"])
        #expect(try sweep.runs().map(\.configuration.policy.objectives.count) == [1, 1, 1, 2, 2, 2])
    }

    @Test func elementsOfListsAreKeysToo() throws {
        let base = "simulate: { groups: [{ name: a, users: 1, taste: length }, { name: b, users: 2, taste: length }] }"
        let runs = try sweep("  simulate.groups.1.users: [3, 4]", base: base).runs()
        #expect(runs.map(\.name) == ["users=3", "users=4"])
        #expect(runs.map { $0.configuration.simulate.groups.map(\.users) } == [[1, 3], [1, 4]])
    }

    @Test func namesAreShortReadableAndTheirOwn() {
        let keys = ["reward.learning_rate", "policy.learning_rate", "run.seed", "simulate.groups.0", "a.b.1"]
        #expect(shortKey("run.seed", among: keys) == "seed")
        #expect(shortKey("policy.learning_rate", among: keys) == "policy.learning_rate")
        #expect(shortKey("simulate.groups.0", among: keys) == "groups.0")
        func name(_ text: String) throws -> String {
            runName(
                [("data.prompts", try readYAML("[\(text)]", file: "")), ("run.seed", try readYAML("1", file: ""))],
                among: keys
            )
        }
        #expect(throws: Never.self) {
            #expect(try name("maxmin, single") == "prompts=maxmin+single,seed=1")
            // What no file name can hold becomes one that no other value has.
            let (slash, space) = (try name("a/b"), try name("'a b'"))
            #expect(slash.hasPrefix("prompts=a-b,seed=1-") && space.hasPrefix("prompts=a-b,seed=1-"))
            let again = try name("a/b")
            #expect(slash != space && slash == again)
            let long = String(repeating: "x", count: 300)
            let (one, two) = (try name("\(long)1"), try name("\(long)2"))
            #expect(one != two && one.utf8.count < 200 && two.utf8.count < 200)
            #expect(try name("../../etc").contains("/") == false)
        }
    }

    @Test func aWrongKeyOrValueIsSaidWithItsLine() throws {
        let wrong = try sweep("  policy.bta: [1]\n  run.seed: [1, x]", set: "{policy.steps: -1}")
        let found = problems { _ = try wrong.runs() }
        #expect(found.count == 3)
        #expect(found.contains("s.yaml:4: unknown key policy.bta; did you mean policy.beta?"))
        #expect(found.contains { $0.hasPrefix("s.yaml:5: run.seed: needs integer ≥ 0, not \"x\"") })
        #expect(found.contains { $0.hasPrefix("s.yaml:6: policy.steps: ") })
        // Of keys that contradict each other the run is named.
        let crossed = try sweep("  run.stages: [[sft], []]")
        #expect(problems { _ = try crossed.runs() } == ["s.yaml: stages=: run.stages: names no stage"])
        #expect(
            problems { _ = try sweep("  run.seed: [1]").runs(overrides: ["run.seed=2"]) } == [
                "--set run.seed=2: s.yaml sets run.seed for each run; change it there"
            ]
        )
    }

    @Test(arguments: [
        ("grid: {run.seed: [1]}", "base: is missing"),
        (
            "base: b\ndirectory: d\ngrid: {run.seed: 1}",
            "s.yaml:3: grid: needs mapping of keys to lists of values, none empty, not \"1\" for run.seed"
        ),
        ("base: b\ndirectory: d\ngrid: {run.seed: []}", "not an empty list for run.seed"),
        (
            "base: b\ndirectory: d\ngrid: {}",
            "s.yaml:3: grid: needs mapping of keys to lists of values, none empty, not an empty one"
        ),
        ("base: b\ndirectory: d\ngrid: {run.seed: [1, '1']}", "s.yaml:3: run.seed: \"1\" is given twice"),
        ("base: b\ndirectory: d\ngrid: {run.directory: [a]}", "leave the key out"),
        ("base: b\ndirectory: d\ngrid: {run.seed: [1]}\nset: {run.seed: 1}", "s.yaml:4: run.seed: is in `grid` too"),
        ("base: b\ndirectory: d\ngird: {run.seed: [1]}", "unknown key gird; did you mean grid?"),
        ("base: b\ndirectory: d\ngrid: [1]", "not a list"),
        ("base: b\ndirectory: d\ngrid: {run.seed: [1]}\nset: 3", "set: needs mapping of keys to values"),
    ])
    func aWrongFileIsRefused(yaml: String, text: String) {
        let found = problems { _ = try Sweep(yaml: yaml, file: "s.yaml") }
        #expect(found.contains { $0.contains(text) }, "\(found)")
    }

    @Test func tooManyRunsAreRefused() {
        let values = (0..<101).map(String.init).joined(separator: ", ")
        let yaml = "base: b\ndirectory: d\ngrid: {run.seed: [\(values)], sft.steps: [\(values)]}"
        #expect(problems { _ = try Sweep(yaml: yaml, file: "s.yaml") }.contains { $0.contains("more than 10000 runs") })
    }

    @Test func aRunIsNewUntilItsDirectoryIsThere() throws {
        let run = try #require(sweep("  run.seed: [1]").runs().first)
        #expect(run.state == .new)
        try createDirectory(run.directory.path)
        try run.configuration.effectiveYAML.write(
            toFile: run.directory.file("config.yaml"),
            atomically: true,
            encoding: .utf8
        )
        #expect(run.state == .unfinished)
        try run.directory.write(
            RunStatus(startingFrom: "the start", after: nil, at: "").ended(.failed, code: .internalError, "loss")
        )
        #expect(run.state == .failed(code: 70, message: "loss"))
        try "{".write(toFile: run.directory.file("status.json"), atomically: true, encoding: .utf8)
        guard case .failed(code: 65, _) = run.state else {
            Issue.record("\(run.state)")
            return
        }
    }
}
