package import LanguageModels
package import Preferences
import Tensors

/// Language models with reward heads that score comparisons: finished models, read from their directories.
package struct LanguageModelScorer: RewardScorer {
    /// The models, in order of group; of one with several heads each is a reward model here.
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
    package var count: Int { models.count * heads }
    /// How many rewards each of `models` gives.
    var heads: Int { models.first?.rewardHeads ?? 1 }

    /// The responses of a micro-batch in one forward pass; what several comparisons have in common, and what lies below
    /// the models' first trained block, is computed once.
    package func rewards(of comparisons: [TokenizedComparison], under models: Range<Int>) throws -> [[Float]] {
        let (runs, places) = distinctSequences(of: comparisons)
        let first = models.lowerBound / heads
        let asked = Array(self.models[first..<(models.upperBound + heads - 1) / heads])
        var rewards = Array(repeating: [Float](), count: asked.count * heads)
        for range in microBatches(runs, limit: microBatchTokens) {
            let sequences = packed(runs[range])
            let states = try trunkStates(of: sequences)
            let found =
                states.map { LanguageModels.rewards(of: sequences, from: $0, under: asked) }
                ?? LanguageModels.rewards(of: sequences, under: asked)
            for (index, found) in found.enumerated() { rewards[index] += found }
        }
        return models.map { model in places.map { rewards[model - first * heads][$0] } }
    }

    /// The state that the head reads and the reward of every response, those of a comparison one after the other.
    func headStates(
        of comparisons: [TokenizedComparison],
        under model: Int
    ) throws -> (states: [ArraySlice<Float>], rewards: [Float]) {
        let (runs, places) = distinctSequences(of: comparisons)
        let (model, head) = (models[model / heads], model % heads)
        let width = model.configuration.width
        var states: [ArraySlice<Float>] = []
        var rewards: [Float] = []
        for range in microBatches(runs, limit: microBatchTokens) {
            let sequences = packed(runs[range])
            let found = model.headStates(of: sequences, from: try trunkStates(of: sequences), head: head)
            states += (0..<sequences.count).map { found.states[$0 * width..<($0 + 1) * width] }
            rewards += found.rewards
        }
        return (places.map { states[$0] }, places.map { rewards[$0] })
    }

    /// The trunk's states of a micro-batch; nil where the models' passes compute all.
    func trunkStates(of sequences: PackedSequences) throws -> Tensor? {
        try trunk?.states(of: sequences, by: models[0])
    }
}
