import Collectives
import LanguageModels
import Optimizers
import Randomness

/// What the updates of one step did.
struct UpdateSummary {
    var updates = 0
    var tokens = 0.0
    var policyLoss = 0.0
    var valueLoss = 0.0
    var clipped = 0.0
    var gradientNorm = 0.0
    /// Of the last minibatch, nats per token.
    var divergence = 0.0
    var epochs = 0
    var stoppedEarly = false
    var isFinite = true
}

/// Updates the policy on the step's rollouts: `epochs` × `minibatches` optimizer steps, each on gradients summed over
/// all shards and divided by the minibatch's response tokens in all of them.
func updatePolicy(
    _ policy: some TrainablePolicy,
    on batches: [ShardBatch],
    settings: PolicySettings,
    step: Int,
    seed: UInt64,
    shards: ShardTree,
    communicator: any Communicator
) throws -> UpdateSummary {
    var summary = UpdateSummary()
    for epoch in 0..<settings.epochs {
        summary.epochs += 1
        for minibatch in 0..<settings.minibatches {
            let chosen = batches.map { batch in
                minibatchIndices(
                    batch,
                    minibatch: minibatch,
                    of: settings.minibatches,
                    order: CounterRandom(
                        seed: seed,
                        purpose: .order,
                        step: step,
                        item: batch.shard,
                        position: UInt64(epoch) << 32
                    )
                )
            }
            let counts = zip(batches, chosen).map { batch, indices in
                [indices.reduce(0.0) { $0 + Double(batch.rollouts[$1].responseLength) }, Double(indices.count)]
            }
            let total = try communicator.sumOverShards(counts, width: 2)
            let tokens = total[0]
            guard tokens > 0 else { continue }

            var shardLosses = Array(repeating: [0.0, 0.0, 0.0, 0.0], count: batches.count)
            try policy.sumGradients(over: shards, communicator) { index in
                try communicator.enter(.forward, step: step)
                accumulateGradients(
                    of: policy,
                    on: batches[index],
                    chosen[index],
                    tokens: tokens,
                    meanLength: tokens / total[1],
                    settings: settings,
                    losses: &shardLosses[index]
                )
                try communicator.enter(.backward, step: step, with: &shardLosses[index])
                if index == batches.count - 1 { try communicator.enter(.reduce, step: step) }
            }
            let losses = try communicator.sumOverShards(shardLosses, width: 4)
            summary.divergence = losses[3] / tokens
            guard losses.allSatisfy(\.isFinite) else {
                summary.isFinite = false
                return summary
            }
            guard summary.divergence <= settings.targetKL.map(Double.init) ?? .infinity else {
                summary.stoppedEarly = true
                return summary
            }
            let norm = try policy.update(learningRate: settings.rates.rate(at: step), over: communicator)
            guard norm.isFinite else {
                summary.isFinite = false
                return summary
            }
            summary.updates += 1
            summary.tokens += tokens
            summary.policyLoss += losses[0]
            summary.valueLoss += losses[1]
            summary.clipped += losses[2]
            summary.gradientNorm += norm
        }
    }
    return summary
}

/// The rollouts of one of `count` minibatches of a shard, in an order drawn for the epoch (as they are, if there is
/// one).
private func minibatchIndices(
    _ batch: ShardBatch,
    minibatch: Int,
    of count: Int,
    order: CounterRandom
) -> ArraySlice<Int> {
    var random = order
    let total = batch.rollouts.count
    let indices = count == 1 ? Array(0..<total) : Array(0..<total).shuffled(using: &random)
    return indices[(total * minibatch / count)..<(total * (minibatch + 1) / count)]
}

/// Adds a shard's gradients of the mean loss over the `tokens` of all shards, in micro-batches, and Σ policy loss, Σ
/// value loss, clipped tokens and Σ divergence to `losses`.
private func accumulateGradients(
    of policy: some TrainablePolicy,
    on batch: ShardBatch,
    _ indices: ArraySlice<Int>,
    tokens: Double,
    meanLength: Double,
    settings: PolicySettings,
    losses: inout [Double]
) {
    // As they were sampled, so that those to one prompt are neighbours and share it.
    let chosen = indices.sorted()
    let perToken = Float(1 / tokens)
    for micro in microBatches(chosen.map { batch.rollouts[$0] }, limit: settings.microBatchTokens) {
        let rollouts = chosen[micro].map { batch.rollouts[$0] }
        let (sequences, rows) = packed(rollouts)
        let scores = policy.forwardTokenScores(sequences, rows: rows, temperature: settings.temperature)
        let old = rollouts.flatMap(\.logProbabilities)
        let advantages = chosen[micro].flatMap { batch.advantages[$0] }
        let loss =
            settings.algorithm == .grpo
            ? groupRelativeLoss(
                logProbabilities: scores.logProbabilities,
                old: old,
                reference: rollouts.flatMap(\.reference),
                advantages: advantages,
                // The mean over all tokens is then that over responses of the mean over their tokens.
                weights: rollouts.flatMap { rollout in
                    Array(repeating: Float(meanLength / Double(rollout.responseLength)), count: rollout.responseLength)
                },
                clip: settings.clip,
                beta: settings.beta
            )
            : clippedPolicyLoss(
                logProbabilities: scores.logProbabilities,
                old: old,
                advantages: advantages,
                clip: settings.clip
            )
        losses[0] += loss.loss
        losses[2] += Double(loss.clipped)
        losses[3] += loss.divergence
        var dValues = [Float](repeating: 0, count: scores.values.count)
        if settings.algorithm == .ppo {
            let valueLoss = clippedValueLoss(
                values: scores.values,
                old: rollouts.flatMap(\.values),
                returns: chosen[micro].flatMap { batch.returns[$0] },
                clip: settings.valueClip
            )
            // The mean over the heads.
            let heads = Float(scores.values.count / rows.count)
            losses[1] += valueLoss.loss / Double(heads)
            dValues = valueLoss.gradient.map { settings.valueCoefficient * perToken * $0 / heads }
        }
        policy.backwardTokenScores(
            dLogProbabilities: loss.gradient.map { perToken * $0 },
            dValues: dValues,
            isLast: micro.upperBound == chosen.count
        )
    }
}
