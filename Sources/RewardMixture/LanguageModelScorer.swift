package import LanguageModels
import Tensors

/// Language models with reward heads that score comparisons: finished models, read from their directories.
package struct LanguageModelScorer: RewardScorer {
    /// The models, in order of group.
    package let models: [LanguageModel]
    let microBatchTokens: Int
    /// Of models in training over a trunk; nil: a pass computes all.
    private let trunk: TrunkCache?

    /// `microBatchTokens`: tokens per forward pass; a longer comparison travels alone.
    package init(_ models: [LanguageModel], microBatchTokens: Int) {
        self.init(models, microBatchTokens: microBatchTokens, trunk: nil)
    }

    init(_ models: [LanguageModel], microBatchTokens: Int, trunk: TrunkCache?) {
        self.models = models
        self.microBatchTokens = microBatchTokens
        self.trunk = trunk
    }

    /// How many models there are.
    package var count: Int { models.count }

    /// Δ of each comparison: chosen and rejected of a micro-batch in one forward pass.
    package func margins(of comparisons: [TokenComparison], under model: Int) throws -> [Float] {
        try margins(of: comparisons, under: [models[model]])[0]
    }

    /// The same under every model; what lies below their first trained block is computed once.
    package func margins(of comparisons: [TokenComparison]) throws -> [[Float]] {
        try margins(of: comparisons, under: models)
    }

    private func margins(of comparisons: [TokenComparison], under models: [LanguageModel]) throws -> [[Float]] {
        var margins = Array(repeating: [Float](), count: models.count)
        for range in microBatches(comparisons, limit: microBatchTokens) {
            let sequences = packed(comparisons[range])
            let states = try trunkStates(of: comparisons[range])
            let rewards =
                states.map { LanguageModels.rewards(of: sequences, from: $0, under: models) }
                ?? LanguageModels.rewards(of: sequences, under: models)
            for (index, rewards) in rewards.enumerated() {
                margins[index] += RewardMixture.margins(fromRewards: rewards)
            }
        }
        return margins
    }

    /// The trunk's states of a micro-batch; nil where the models' passes compute all.
    func trunkStates(of comparisons: ArraySlice<TokenComparison>) throws -> Tensor? {
        try trunk?.states(of: comparisons, by: models[0])
    }
}

/// Chosen and rejected sequences side by side, which share the tokens that both begin with.
package func packed(_ comparisons: ArraySlice<TokenComparison>) -> PackedSequences {
    PackedSequences(
        comparisons.flatMap { [$0.chosen, $0.rejected] },
        sharing: comparisons.flatMap { [0, $0.sharedTokens] }
    )
}

/// Δ of each comparison from the rewards of `packed` sequences.
func margins(fromRewards rewards: [Float]) -> [Float] {
    stride(from: 0, to: rewards.count, by: 2).map { rewards[$0] - rewards[$0 + 1] }
}

/// Runs of comparisons of at most `limit` distinct tokens, or of one longer comparison.
func microBatches(_ comparisons: [TokenComparison], limit: Int) -> [Range<Int>] {
    var batches: [Range<Int>] = []
    var start = 0
    var tokens = 0
    for (index, comparison) in comparisons.enumerated() {
        let length = comparison.distinctTokens
        if index > start, tokens + length > limit {
            batches.append(start..<index)
            start = index
            tokens = 0
        }
        tokens += length
    }
    if start < comparisons.count { batches.append(start..<comparisons.count) }
    return batches
}
