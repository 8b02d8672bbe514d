import Collectives
import Randomness

/// One prompt of a step.
struct BatchPrompt: Equatable {
    /// Its place among all prompts of the step: keys the randomness of its samples.
    let index: Int
    /// Its index in the pool.
    let prompt: Int
}

/// The prompts of one step, counted from 1, for one shard.
///
/// Places are dealt to shards in turn, on and on over the steps, so that shards take equal shares whatever their
/// number; a shard goes through its own prompts in an order drawn anew for every pass.
func samplePrompts(step: Int, perStep: Int, pool: Int, shard: Int, shards: Shards, seed: UInt64) -> [BatchPrompt] {
    let own = shards.items(of: shard, total: pool)
    let firstDeal = (step - 1) * perStep
    var order: (pass: Int, prompts: [Int])?
    return (0..<perStep).compactMap { index -> BatchPrompt? in
        let deal = firstDeal + index
        guard deal % shards.count == shard else { return nil }
        let (pass, offset) = (deal / shards.count).quotientAndRemainder(dividingBy: own.count)
        if order?.pass != pass {
            var random = CounterRandom(seed: seed, purpose: .prompts, step: pass, item: shard)
            order = (pass, own.shuffled(using: &random))
        }
        return order.map { BatchPrompt(index: index, prompt: $0.prompts[offset]) }
    }
}
