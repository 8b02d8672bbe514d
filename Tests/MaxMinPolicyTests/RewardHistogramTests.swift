import Testing

@testable import MaxMinPolicy

struct RewardHistogramTests {
    @Test func binsRiseByAQuarterOctave() {
        let limits = RewardHistogram.limits
        #expect(zip(limits, limits.dropFirst()).allSatisfy { $0 < $1 })
        #expect(limits.first == -1024 && limits.contains(-0.125) && limits.contains(0.125) && limits.contains(1))
        for (limit, next) in zip(limits.suffix(54), limits.suffix(53).dropLast()) {
            #expect(abs(next / limit - 1.189_207) < 1e-6)
        }
    }

    /// Each reward is in the bin that ends at it or above it; those that are not finite are in none.
    @Test func everyFiniteRewardIsInOneBin() {
        let rewards: [Float] = [-5000, -1024, -1, -0.1, 0, 0.125, 0.13, 3, 5000, .nan, .infinity]
        let histogram = RewardHistogram(RewardHistogram.sums(of: rewards)[...])
        let limits = RewardHistogram.limits
        func count(_ limit: Double) -> Double? { limits.firstIndex(of: limit).map { histogram.counts[$0] } }
        #expect(count(-1024) == 2 && count(-1) == 1 && count(0.125) == 3 && histogram.counts.last == 1)
        #expect(histogram.counts.reduce(0, +) == 9)
        #expect(abs(histogram.sum - (-1021.845)) < 1e-3)
        #expect(abs(histogram.squares - 51_048_587) < 1)
    }
}
