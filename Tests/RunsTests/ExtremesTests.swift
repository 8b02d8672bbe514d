import Failures
import Randomness
import StrictYAML
import Testing

@testable import Runs

/// Every declared key at the ends of what a number may be: it is refused with its name, or the run can be planned,
/// without a trap.
@Suite struct ExtremesTests {
    private static let values = [
        "0", "-1", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "1e-320", "1e-30", "1e30", "1e300", "1e400",
    ]

    /// What stands in for the keys of users' groups is the first group's.
    private static func keys() throws -> [String] {
        var top = SectionReader(path: "", node: nil)
        _ = Configuration(&top)
        let elements = top.sections.flatMap(\.elementRecords) + top.elementRecords
        return (top.allRecords + elements).map { $0.path.replacing("[]", with: ".0") }
    }

    /// Plans the run on one rank and on three; gives what is wrong with its configuration.
    private static func planned(_ overrides: [String]) throws -> [String] {
        do {
            let configuration = try Configuration(yaml: "", file: "run.yaml", overrides: overrides)
            for ranks in [1, 3] where configuration.shards >= ranks {
                let plan = try MemoryPlan(configuration, stages: Stage.allCases, ranks: ranks, ranksOnNode: ranks)
                #expect(plan.stages.allSatisfy { $0.bytes.values.allSatisfy { $0 >= 0 } }, "\(overrides)")
                _ = plan.table
                _ = configuration.waitingRanks(ranks, in: Stage.allCases)
                var left = TimeLeft(plan.planner, stages: Stage.allCases)
                left?.finish(.simulate, seconds: 1)
                _ = left?.text
            }
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch let failure as Failure {
            #expect([.configuration, .missingInput].contains(failure.code), "\(failure)")
            return [failure.description]
        }
    }

    @Test func everyKeyByItself() throws {
        let keys = try Self.keys()
        #expect(keys.count > 100)
        for key in keys {
            for value in Self.values {
                let problems = try Self.planned(["\(key)=\(value)"])
                guard let first = problems.first else { continue }
                // Of keys that contradict, the other may be named.
                let names = ["simulate.groups[0]", "data.prompts"] + keys
                #expect(names.contains { first.contains($0) }, "\(key)=\(value): \(problems)")
            }
        }
    }

    /// Numbers that are right by themselves, many at once.
    @Test(arguments: 0..<4) func manyKeysAtOnce(draw: Int) throws {
        var random = CounterRandom(seed: 1, purpose: .test, item: draw)
        var accepted: [String] = []
        for key in try Self.keys().shuffled(using: &random) {
            let limits = ["2147483647", "1048576", "65536", "1024", "64", "1e30", "1e-30", "1", "0"]
            // The largest that goes with those before.
            let wanted = Int(random.uniform() * 3)
            let found = limits.dropFirst(wanted).first { value in
                (try? Configuration(yaml: "", file: "run.yaml", overrides: accepted + ["\(key)=\(value)"])) != nil
            }
            if let found { accepted.append("\(key)=\(found)") }
        }
        #expect(accepted.count > 50)
        #expect(try Self.planned(accepted).allSatisfy { !$0.isEmpty })
    }
}
