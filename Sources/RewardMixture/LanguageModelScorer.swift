public import LanguageModels

/// Language models with reward heads that score comparisons: finished models, read from their directories.
public struct LanguageModelScorer: RewardScorer {
    /// The models, in order of group.
    public let models: [LanguageModel]
    let microBatchTokens: Int

    /// `microBatchTokens`: tokens per forward pass; a longer comparison travels alone.
    public init(_ models: [LanguageModel], microBatchTokens: Int) {
        self.models = models
        self.microBatchTokens = microBatchTokens
    }

    /// How many models there are.
    public var count: Int { models.count }

    /// Δ of each comparison: chosen and rejected of a micro-batch in one forward pass.
    public func margins(of comparisons: [TokenComparison], under model: Int) -> [Float] {
        microBatches(comparisons, limit: microBatchTokens).flatMap { batch in
            RewardMixture.margins(fromRewards: models[model].rewards(of: packed(comparisons[batch])))
        }
    }
}

/// Chosen and rejected sequences side by side.
func packed(_ comparisons: ArraySlice<TokenComparison>) -> PackedSequences {
    PackedSequences(comparisons.flatMap { [$0.chosen, $0.rejected] })
}

/// Δ of each comparison from the rewards of `packed` sequences.
func margins(fromRewards rewards: [Float]) -> [Float] {
    stride(from: 0, to: rewards.count, by: 2).map { rewards[$0] - rewards[$0 + 1] }
}

/// Runs of comparisons of at most `limit` tokens, or of one longer comparison.
func microBatches(_ comparisons: [TokenComparison], limit: Int) -> [Range<Int>] {
    var batches: [Range<Int>] = []
    var start = 0
    var tokens = 0
    for (index, comparison) in comparisons.enumerated() {
        let length = comparison.chosen.count + comparison.rejected.count
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
