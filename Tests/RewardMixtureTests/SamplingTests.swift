import Testing

@testable import RewardMixture

@Suite struct SamplingTests {
    @Test func everyComparisonOncePerEpoch() {
        var sampler = ComparisonSampler(weights: [1, 0, 1, 1, 1, 0, 1], seed: 3, stream: 0, shard: 0)
        let epochs = (0..<20).map { _ in sampler.draw(5) }
        for epoch in epochs { #expect(epoch.sorted() == [0, 2, 3, 4, 6]) }
        #expect(Set(epochs).count > 5)
    }

    @Test func drawsInProportionToWeight() {
        let weights = [1, 0.5, 0.1, 0.0001, 0.4]
        var sampler = ComparisonSampler(weights: weights, seed: 5, stream: 1, shard: 2)
        var counts = Array(repeating: 0.0, count: 5)
        for _ in 0..<4000 { for index in sampler.draw(5) { counts[index] += 1 } }
        for (count, weight) in zip(counts, weights) {
            #expect(abs(count / 20000 - (weight < 0.001 ? 0 : weight / 2)) < 0.01)
        }
    }

    @Test func quotasAddUpAndAreFair() {
        let weights = [3.0, 0, 0.2, 40, 0, 6.8]
        var totals = Array(repeating: 0, count: 6)
        for step in 1...200 {
            let quotas = batchQuotas(shardWeights: weights, batch: 7, step: step)
            #expect(quotas.reduce(0, +) == 7)
            for shard in 0..<6 { totals[shard] += quotas[shard] }
        }
        for shard in 0..<6 { #expect(abs(Double(totals[shard]) - 1400 * weights[shard] / 50) < 5) }
    }
}
