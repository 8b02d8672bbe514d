import Foundation
import Randomness
import Testing

@testable import Evaluation

/// The values that `Tests/Fixtures/Evaluation/make_intervals.py` wrote.
private struct Golden: Decodable {
    struct Interval: Decodable { let mean, low, high: Double }
    struct Policy: Decodable {
        let groups: [Interval]
        let worst: Interval
    }
    let resamples: Int
    let seed: UInt64
    /// Policies, the reference first, × groups × prompts × samples.
    let utilities: [[[[Double]]]]
    let policies: [Policy]
    let worstLess: Interval

    static func read() throws -> Golden {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/Evaluation/intervals.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
}

@Suite struct WinRateTests {
    /// Of values that each count as one prompt's wins.
    func interval(_ values: [Double], resamples: Int = 1000, seed: UInt64) -> Estimate {
        WinRates(wins: [values], resamples: resamples, seed: seed).groups[0]
    }

    func winRate(policy: [[Double]], reference: [[Double]], seed: UInt64) -> Estimate {
        interval(promptWins(policy: policy, reference: reference), seed: seed)
    }

    /// `Tests/Fixtures/Evaluation/make_intervals.py`, in numpy: ties, three groups, which of them is worst off changes
    /// from resample to resample.
    @Test func intervalsAreNumpys() throws {
        let golden = try Golden.read()
        let reference = golden.utilities[0]
        let found = golden.utilities.dropFirst().map { policy in
            WinRates(
                wins: zip(policy, reference).map { promptWins(policy: $0, reference: $1) },
                resamples: golden.resamples,
                seed: golden.seed
            )
        }
        for (policy, expected) in zip(found, golden.policies) {
            for (own, other) in zip(policy.groups, expected.groups) { #expect(isNear(own, other), "\(own) \(other)") }
            #expect(isNear(policy.worst, expected.worst), "\(policy.worst) \(expected.worst)")
        }
        let difference = found[1].worstLess(found[0])
        #expect(isNear(difference, golden.worstLess), "\(difference) \(golden.worstLess)")
        // What is paired with itself does not differ, whatever was drawn.
        #expect(found[0].worstLess(found[0]) == Estimate(mean: 0, low: 0, high: 0))
    }

    private func isNear(_ own: Estimate, _ other: Golden.Interval) -> Bool {
        abs(own.mean - other.mean) < 1e-12 && abs(own.low - other.low) < 1e-12 && abs(own.high - other.high) < 1e-12
    }

    @Test func countsTiesHalfAndAveragesPairsWithinPrompts() {
        let estimate = winRate(policy: [[2], [1], [0], [1, 3]], reference: [[1], [1], [5], [2, 3]], seed: 1)
        // 1, ½, 0, and of four pairs (1<2, 1<3, 3>2, 3=3): 1½ / 4.
        #expect(abs(estimate.mean - (1 + 0.5 + 0 + 0.375) / 4) < 1e-12)
        #expect(estimate.low <= estimate.mean && estimate.mean <= estimate.high)
    }

    @Test func swappingSidesMirrorsTheRate() {
        var random = CounterRandom(seed: 1, purpose: .test)
        let a = (0..<40).map { _ in (0..<3).map { _ in (random.uniform() * 4).rounded() } }
        let b = (0..<40).map { _ in (0..<2).map { _ in (random.uniform() * 4).rounded() } }
        let forward = winRate(policy: a, reference: b, seed: 1)
        let backward = winRate(policy: b, reference: a, seed: 1)
        #expect(abs(forward.mean + backward.mean - 1) < 1e-12)
        #expect(abs(forward.low + backward.high - 1) < 1e-9)
        #expect(winRate(policy: a, reference: a, seed: 1).mean == 0.5)
    }

    @Test func aConstantHasNoSpreadAndASeedRepeats() {
        #expect(interval([0.5, 0.5, 0.5], seed: 1) == Estimate(mean: 0.5, low: 0.5, high: 0.5))
        let values = (0..<50).map { Double($0 % 7) }
        #expect(interval(values, seed: 1) == interval(values, seed: 1))
        #expect(interval(values, seed: 1) != interval(values, seed: 2))
    }

    /// For 400 coin tosses the interval is near 0.5 ± 1.96 · 0.5/20 = ± 0.049.
    @Test func theIntervalHasTheNormalWidth() {
        let values = (0..<400).map { Double($0 % 2) }
        let estimate = interval(values, resamples: 4000, seed: 3)
        #expect(abs(estimate.low - 0.451) < 0.004 && abs(estimate.high - 0.549) < 0.004)
    }

    /// 95 % intervals of 60 normal values should hold the true mean 95 times in 100; 300 trials: ± 2.5 points (2σ).
    @Test func theIntervalCoversTheTruthAsOftenAsItSays() {
        var covered = 0
        for trial in 0..<300 {
            var random = CounterRandom(seed: 11, purpose: .test, item: trial)
            let estimate = interval((0..<60).map { _ in random.normal() }, resamples: 300, seed: UInt64(trial))
            covered += estimate.low <= 0 && 0 <= estimate.high ? 1 : 0
        }
        #expect((270...296).contains(covered), "\(covered) of 300")
    }
}
