package import LanguageModels
package import Preferences
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

    /// The responses of a micro-batch in one forward pass; what lies below the models' first trained block is computed
    /// once.
    package func rewards(of comparisons: [TokenizedComparison], under models: Range<Int>) throws -> [[Float]] {
        var rewards = Array(repeating: [Float](), count: models.count)
        for range in microBatches(comparisons, limit: microBatchTokens) {
            let sequences = packed(comparisons[range])
            let states = try trunkStates(of: comparisons[range])
            let found =
                states.map { LanguageModels.rewards(of: sequences, from: $0, under: Array(self.models[models])) }
                ?? LanguageModels.rewards(of: sequences, under: Array(self.models[models]))
            for (index, found) in found.enumerated() { rewards[index] += found }
        }
        return rewards
    }

    /// The trunk's states of a micro-batch; nil where the models' passes compute all.
    func trunkStates(of comparisons: ArraySlice<TokenizedComparison>) throws -> Tensor? {
        try trunk?.states(of: comparisons, by: models[0])
    }
}

/// The sequences of comparisons side by side; those of one share the tokens that all of them begin with.
package func packed(_ comparisons: ArraySlice<TokenizedComparison>) -> PackedSequences {
    PackedSequences(
        comparisons.flatMap(\.sequences),
        sharing: comparisons.flatMap { comparison in
            [0] + comparison.sequences.dropFirst().map { _ in comparison.sharedTokens }
        }
    )
}

/// Runs of comparisons of at most `limit` distinct tokens, or of one longer comparison.
func microBatches(_ comparisons: [TokenizedComparison], limit: Int) -> [Range<Int>] {
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
