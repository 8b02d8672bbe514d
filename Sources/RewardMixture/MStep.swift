import Collectives
import Failures
import Foundation
import Optimizers
import Preferences

/// What one M-step did for one group.
package struct GroupTraining: Equatable, Codable, Sendable {
    /// Optimizer steps taken.
    package let steps: Int
    /// The step whose weights were kept.
    package let bestStep: Int
    /// Lowest validation loss per comparison; nil for a group without users.
    package let bestLoss: Double?
}

/// The M-step: minimizes −Σ_h q_h(u) Σ_c log p_u(c) / N_u for every group u at once (arXiv 2402.08925, Algorithm 2)
/// and leaves each model with the weights of its lowest validation loss, rewards damped as far as those were
/// overconfident.
///
/// In a step every shard adds the gradient of its share of each group's batch; one sum over shards carries all groups'
/// gradients; every rank applies the same updates. A group that has used up its budget leaves the batch. Training
/// starts from the weights that the models have (after the first iteration: the previous iteration's best), and those
/// compete: an M-step never ends with a higher validation loss than it started with. A group without users is left as
/// it is. `round` numbers the M-steps of a run, for the order of comparisons. `material` says which comparisons
/// gradients come from. `saved` is the state of this M-step to go on from, as `atBoundary` was given it.
func maximize(
    _ models: some RewardModels,
    users: ShardedUsers,
    responsibilities: [[Double]],
    on material: TrainingSplit = .fit,
    settings: RewardMixtureSettings,
    stage: String,
    round: Int,
    from saved: (any SavedState)? = nil,
    atBoundary: StepBoundary,
    progress: (Int) throws -> Void
) throws -> [GroupTraining] {
    let schedule = settings.optimizer.rates(over: settings.maxSteps)
    let weights = materialWeights(users, material, responsibilities: responsibilities, groups: models.count)
    let populated = (0..<models.count).filter { weights[$0].contains { $0 > 0 } }
    let budget = EarlyStopping(patience: settings.patience, maxSteps: settings.maxSteps)
    var state = MStepState(
        budgets: Array(repeating: budget, count: models.count),
        rewardScale: Array(repeating: 1, count: models.count)
    )
    var samplers = makeSamplers(
        users,
        material,
        responsibilities: responsibilities,
        groups: populated,
        seed: settings.seed,
        round: round
    )

    /// How many comparisons of a group each shard draws in a step.
    func quotas(of group: Int, step: Int) -> [Int] {
        let total = weights[group].reduce(0, +)
        let batch = max(1, min(settings.batchComparisons, Int(total.rounded(.up))))
        return batchQuotas(shardWeights: weights[group], batch: batch, step: step)
    }

    func validate(_ groups: [Int], step: Int) throws {
        let losses = try validationLosses(of: groups, models, users: users, responsibilities: responsibilities)
        for (group, found) in zip(groups, losses) {
            guard found.loss.isFinite else {
                throw notFinite("validation loss", group: group, stage: stage, step: step)
            }
            guard state.budgets[group].observe(loss: found.loss, step: step) else { continue }
            models.saveBest(of: group)
            state.rewardScale[group] = found.rewardScale
        }
    }

    models.beginTraining(settings, over: users.communicator)
    if let saved,
        let found = try saved.record(
            "m-step",
            as: MStepState.self,
            where: { $0.isValid(groups: models.count, maxSteps: settings.maxSteps) }
        )
    {
        state = found
        try saved.fill(models.trainingVectors)
        try models.resumeTraining(
            updates: state.budgets.map { $0.stopped ? $0.steps : state.step },
            over: users.communicator
        )
        // What a sampler drew until then is a matter of the quotas alone.
        for group in populated {
            for step in stride(from: 1, through: min(state.step, state.budgets[group].end), by: 1) {
                let quotas = quotas(of: group, step: step)
                for (index, local) in users.localShards.enumerated() {
                    _ = samplers[index][group]?.draw(quotas[local.shard])
                }
            }
        }
    } else {
        try validate(populated, step: 0)
    }
    for step in stride(from: state.step + 1, through: settings.maxSteps, by: 1) {
        let training = populated.filter { !state.budgets[$0].stopped }
        if training.isEmpty { break }
        let quotas = Dictionary(uniqueKeysWithValues: training.map { ($0, quotas(of: $0, step: step)) })
        // Per shard and group: Σ loss and the count of comparisons.
        var shardStatistics = Array(
            repeating: Array(repeating: 0.0, count: 2 * models.count),
            count: users.localShards.count
        )
        try models.sumGradients(over: users.tree, users.communicator) { index in
            let local = users.localShards[index]
            let comparisons = local.users.flatMap { material.comparisons(of: $0.user) }
            try users.communicator.enter(.forward, step: step)
            let batches = training.compactMap { group -> TrainingBatch? in
                guard let quota = quotas[group]?[local.shard], quota > 0,
                    let drawn = samplers[index][group]?.draw(quota)
                else { return nil }
                return TrainingBatch(model: group, comparisons: drawn.map { comparisons[$0] })
            }
            for (batch, loss) in zip(batches, try models.addGradients(of: batches)) {
                shardStatistics[index][2 * batch.model] = loss
                shardStatistics[index][2 * batch.model + 1] = Double(batch.comparisons.count)
            }
            try users.communicator.enter(.backward, step: step, with: &shardStatistics[index])
            if index == users.localShards.count - 1 { try users.communicator.enter(.reduce, step: step) }
        }
        let statistics = try users.communicator.sumOverShards(shardStatistics, width: 2 * models.count)
        for group in training {
            guard statistics[2 * group].isFinite else {
                throw notFinite("loss", group: group, stage: stage, step: step)
            }
            // The batch was drawn in proportion to q, so its mean is the gradient of the loss above.
            let norm = try models.update(
                group,
                gradientScale: Float(1 / statistics[2 * group + 1]),
                learningRate: schedule.rate(at: step),
                over: users.communicator
            )
            guard norm.isFinite else { throw notFinite("gradient", group: group, stage: stage, step: step) }
        }
        if step % settings.evaluateEvery == 0 || step == settings.maxSteps { try validate(training, step: step) }
        try progress(step)
        state.step = step
        try atBoundary {
            try TrainingState(state, as: "m-step", models.trainingVectors, replicas: models.replicas)
        }
    }
    for group in populated {
        models.restoreWeights(of: group)
        if state.rewardScale[group] < 1 { models.scaleRewards(of: group, by: Float(state.rewardScale[group])) }
    }
    try models.endTraining(over: users.communicator)
    return state.budgets.map {
        GroupTraining(steps: $0.steps, bestStep: $0.bestStep, bestLoss: $0.bestLoss.isFinite ? $0.bestLoss : nil)
    }
}

private func notFinite(_ what: String, group: Int, stage: String, step: Int) -> Failure {
    Failure(
        .internalError,
        "\(what) of group \(group) is not finite in stage \"\(stage)\", step \(step); lower reward.learning_rate"
    )
}

/// [K][shards]: Σ q_h(u)·weight over a shard's comparisons that gradients come from.
private func materialWeights(
    _ users: ShardedUsers,
    _ material: TrainingSplit,
    responsibilities: [[Double]],
    groups: Int
) -> [[Double]] {
    var weights = Array(repeating: Array(repeating: 0.0, count: users.shardCount), count: groups)
    for (user, row) in zip(users.members, responsibilities) {
        for group in 0..<groups where row[group] >= ComparisonSampler.negligible {
            weights[group][user.shard] += row[group] * material.count(of: user)
        }
    }
    return weights
}

/// One sampler for each of this rank's shards and each group; none where the shard has nothing for the group.
private func makeSamplers(
    _ users: ShardedUsers,
    _ material: TrainingSplit,
    responsibilities: [[Double]],
    groups: [Int],
    seed: UInt64,
    round: Int
) -> [[Int: ComparisonSampler]] {
    users.localShards.map { local in
        var samplers: [Int: ComparisonSampler] = [:]
        for group in groups {
            let weights = local.users.flatMap { user in
                material.comparisons(of: user.user).map { responsibilities[user.index][group] * $0.weight }
            }
            guard weights.contains(where: { $0 >= ComparisonSampler.negligible }) else { continue }
            samplers[group] = ComparisonSampler(
                weights: weights,
                seed: seed,
                stream: round * responsibilities[0].count + group,
                shard: local.shard
            )
        }
        return samplers
    }
}
