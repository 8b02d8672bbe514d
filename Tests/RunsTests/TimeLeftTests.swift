import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct TimeLeftTests {
    /// What the quickstart took once, on 2 ranks of a Zen 3, in seconds.
    private static let quickstart: [(Stage, Double)] = [
        (.sft, 115.5), (.simulate, 12.2), (.reward, 154.9), (.calibrate, 2.2), (.policy, 61.3), (.evaluate, 6.1),
    ]

    private func quickstart() throws -> Configuration {
        let file = packageRoot.appendingPathComponent("launch/runs/quickstart.yaml")
        return try Configuration(yaml: String(contentsOf: file, encoding: .utf8), file: file.lastPathComponent)
    }

    /// An estimate for people: right but for a factor of two.
    @Test func theQuickstartsTimeIsForeseen() throws {
        let found = try TimeLeft(StagePlanner(quickstart(), ranks: 2), stages: Stage.allCases)
        var left = try #require(found)
        #expect(left.seconds == nil && left.text == nil)
        var measured = Self.quickstart.reduce(0) { $0 + $1.1 }
        for (stage, seconds) in Self.quickstart.dropLast() {
            left.finish(stage, seconds: seconds)
            measured -= seconds
            let predicted = try #require(left.seconds)
            #expect(
                predicted < 2 * measured && predicted > measured / 2,
                "after \(stage): \(predicted), not \(measured)"
            )
        }
        left.finish(.evaluate, seconds: 6.1)
        #expect(left.seconds == nil)
    }

    /// A stage twice as fast foretells half the time; one that is not to do counts nowhere.
    @Test func timeIsInProportion() throws {
        let found = try TimeLeft(StagePlanner(quickstart(), ranks: 1), stages: [.reward, .policy])
        var (slow, fast) = (try #require(found), try #require(found))
        slow.finish(.sft, seconds: 100)
        #expect(slow.seconds == nil)
        slow.finish(.reward, seconds: 100)
        fast.finish(.reward, seconds: 50)
        #expect(try abs(#require(slow.seconds) - 2 * #require(fast.seconds)) < 1e-9)
    }

    @Test func timeReads() throws {
        for (seconds, text) in [
            (1.0, "about 10 s"), (44, "about 40 s"), (61, "about 1 min"), (7500, "about 2 h 05 min"),
        ] {
            var left = try #require(TimeLeft(StagePlanner(quickstart(), ranks: 1), stages: [.reward, .policy]))
            left.finish(.reward, seconds: 1)
            let one = try #require(left.seconds)
            var other = try #require(TimeLeft(StagePlanner(quickstart(), ranks: 1), stages: [.reward, .policy]))
            other.finish(.reward, seconds: seconds / one)
            #expect(other.text == text)
        }
    }
}
