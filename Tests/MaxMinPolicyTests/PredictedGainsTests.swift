import Collectives
import Randomness
import Testing

@testable import MaxMinPolicy

@Suite struct PredictedGainsTests {
    /// Two groups share alike whatever their correlation; the gain is √((1 + ρ)/2).
    @Test(arguments: [-0.9, -0.5, 0, 0.7])
    func twoGroupsHaveEqualWeights(correlation: Double) {
        let correlations = [[1, correlation], [correlation, 1]]
        let weights = PredictedGains.maxminWeights(correlations)
        #expect(weights.allSatisfy { abs($0 - 0.5) < 1e-9 })
        for gain in PredictedGains.of(weights: weights, correlations) {
            #expect(abs(gain - ((1 + correlation) / 2).squareRoot()) < 1e-9)
        }
    }

    @Test func opposedGroupsGainNothing() {
        let correlations = [[1.0, -1], [-1, 1]]
        #expect(PredictedGains.of(weights: PredictedGains.maxminWeights(correlations), correlations) == [0, 0])
    }

    /// Two alike and one opposed: the mean leaves the third behind, and MaxMin, as a search of the simplex has it, not.
    @Test func theMinLiftsTheThirdGroup() {
        let correlations = [[1, 0.9, -0.6], [0.9, 1, -0.6], [-0.6, -0.6, 1]]
        let gains = PredictedGains.of(weights: PredictedGains.maxminWeights(correlations), correlations)
        #expect((gains.min() ?? 0) > 0.4)
        #expect(PredictedGains.of(weights: [1, 1, 1].map { $0 / 3 }, correlations)[2] < 0)
        var best = -1.0
        for i in 0...100 {
            for j in 0...(100 - i) {
                let weights = [Double(i), Double(j), Double(100 - i - j)].map { $0 / 100 }
                best = max(best, PredictedGains.of(weights: weights, correlations).min() ?? -1)
            }
        }
        #expect(abs((gains.min() ?? 0) - best) < 1e-2)
    }

    /// Rewards that agree within prompts and differ between them, on one rank and on three.
    @Test func correlationsAreThoseWithinPrompts() throws {
        let shards = (0..<3).map { shard -> [[Float]] in
            var random = CounterRandom(seed: 3, purpose: .test, item: shard)
            let samples = (0..<40).map { index in (Float(10 * (index / 4)), Float(random.normal())) }
            return [samples.map { $0.0 + $0.1 }, samples.map { -$0.0 + $0.1 }, samples.map { $0.0 - 2 * $0.1 }]
        }
        let alone = try covarianceWithinPrompts(
            shards,
            rewardModels: 3,
            prompts: 30,
            samplesPerPrompt: 4,
            communicator: SoloCommunicator()
        )
        for (row, expected) in zip(correlations(of: alone), [[1.0, 1, -1], [1, 1, -1], [-1, -1, 1]]) {
            for (found, value) in zip(row, expected) { #expect(abs(found - value) < 1e-4) }
        }
        let together = try InProcessGroup.run(ranks: 3) { communicator in
            try covarianceWithinPrompts(
                [shards[communicator.rank]],
                rewardModels: 3,
                prompts: 30,
                samplesPerPrompt: 4,
                communicator: communicator
            )
        }
        #expect(together.allSatisfy { $0 == alone })
    }
}
