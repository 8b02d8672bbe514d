import Randomness

/// Draws one shard's training comparisons for one group, in proportion to their users' responsibilities.
///
/// Systematic sampling: the comparisons are laid end to end in random order, each as long as its weight, and points one
/// apart, from a random first one, pick them. With weights 1 (hard assignment) every comparison is drawn exactly once
/// before any comes again; with fractional weights each is drawn as often as its weight says. Every drawn comparison
/// then counts 1 in the loss.
struct ComparisonSampler {
    /// Weights below this are never drawn, so that a group's batches do not fill up with users of other groups.
    static let negligible = 1e-3

    private let weights: [Double]
    private let seed: UInt64
    private let stream: Int
    private let shard: Int
    private var order: [Int]
    private var epoch = 0
    private var cursor = 0
    /// From the start of comparison `order[cursor]` to the next point.
    private var distance = 0.0

    /// `stream` numbers the M-step and group; `weights`: one of each comparison, in [0, 1], and not all negligible.
    init(weights: [Double], seed: UInt64, stream: Int, shard: Int) {
        self.weights = weights
        self.seed = seed
        self.stream = stream
        self.shard = shard
        order = weights.indices.filter { weights[$0] >= Self.negligible }
        precondition(!order.isEmpty, "no comparison to draw from")
        shuffle()
    }

    /// The next `count` comparisons' indices.
    mutating func draw(_ count: Int) -> [Int] {
        var drawn: [Int] = []
        while drawn.count < count {
            let weight = weights[order[cursor]]
            if distance < weight {
                drawn.append(order[cursor])
                distance += 1
            } else {
                distance -= weight
                cursor += 1
                if cursor == order.count {
                    epoch += 1
                    shuffle()
                }
            }
        }
        return drawn
    }

    private mutating func shuffle() {
        var random = CounterRandom(
            seed: seed,
            purpose: .order,
            step: stream,
            item: shard,
            position: UInt64(epoch) << 32
        )
        cursor = 0
        order.sort()
        order.shuffle(using: &random)
        distance = random.uniform()
    }
}

/// How many of `batch` comparisons each shard draws in one step, in proportion to its weight; the counts add up to
/// `batch`.
///
/// Fractions are carried by a low-discrepancy sequence over steps, so that a shard with a tenth of a comparison per
/// step draws one every tenth step. Every rank computes the same counts.
func batchQuotas(shardWeights: [Double], batch: Int, step: Int) -> [Int] {
    let total = shardWeights.reduce(0, +)
    let phase = (Double(step) * 0.618_033_988_749_894_9).truncatingRemainder(dividingBy: 1)
    var cumulated = 0.0
    var previous = 0
    return shardWeights.indices.map { shard in
        cumulated += shardWeights[shard]
        // Beyond the last shard that has weight the boundary is exactly `batch`, whatever rounding did to the sum.
        let isLast = shardWeights[(shard + 1)...].allSatisfy { $0 == 0 }
        let boundary = isLast ? batch : min(batch, Int(Double(batch) * cumulated / total + phase))
        defer { previous = max(previous, boundary) }
        return shardWeights[shard] == 0 ? 0 : max(0, boundary - previous)
    }
}
