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
    /// Lowest validation loss per comparison, of all groups that share a backbone; nil for a group without users.
    package let bestLoss: Double?
}

/// The M-step: minimizes −Σ_h q_h(u) Σ_c log p_u(c) / N_u for every group u at once (arXiv 2402.08925, Algorithm 2)
/// and leaves each model with the weights of its group's lowest validation loss, rewards damped as far as those were
/// overconfident.
///
/// A group has one model for each of `parts`: model `p·K + u` is that of group u which is trained on part p. In a step
/// every shard adds the gradient of its share of each model's batch; one sum over shards carries all gradients; every
/// rank applies the same updates. Where the groups' models of a part are heads on one backbone, one vector of weights
/// minimizes Σ_u N_u·loss_u / Σ_u N_u, the loss of all comparisons, and the groups have one budget together. A group
/// that has used up its budget leaves the batch, with all its models: what they say of the comparisons that they have
/// not seen decides for all of them, so that the model of a part without validation (all comparisons, beside folds) is
/// trained for as long as is good for the others. Training starts from the weights that the models have (after the
/// first iteration: the previous iteration's best), and those compete: an M-step never ends with a higher validation
/// loss than it started with. A group without users is left as it is.
/// `round` numbers the M-steps of a run, for the order of comparisons. `saved` is the state of this M-step to go on
/// from, as `atBoundary` was given it. `report` is told of every step and look.
func maximize(
    _ models: some RewardModels,
    users: ShardedUsers,
    responsibilities: [[Double]],
    on parts: [ComparisonSplit.Key],
    settings: RewardMixtureSettings,
    named fit: MixtureFit,
    round: Int,
    from saved: (any SavedState)? = nil,
    atBoundary: StepBoundary,
    report: (MixtureEvent) throws -> Void
) throws -> [GroupTraining] {
    let name = fit.name
    let groups = models.count / parts.count
    let schedule = settings.optimizer.rates(over: settings.maxSteps)
    let weights = parts.flatMap { shardWeights(users, $0, responsibilities: responsibilities, groups: groups) }
    let trained = weights.indices.filter { weights[$0].contains { $0 > 0 } }
    let populated = (0..<groups).filter { group in trained.contains { $0 % groups == group } }
    // What shares vectors shares a budget.
    let learners = groups / models.heads
    func groupsOf(_ learner: Int) -> [Int] { populated.filter { $0 / models.heads == learner } }
    func vectorsOf(_ learner: Int) -> [Int] { parts.indices.map { $0 * learners + learner } }
    func modelsOf(_ vector: Int) -> [Int] { trained.filter { $0 / models.heads == vector } }
    let learning = (0..<learners).filter { !groupsOf($0).isEmpty }
    let trainedVectors = (0..<models.vectors).filter { !modelsOf($0).isEmpty }
    // The paper's budget is of epochs: of a group's steps so many make one.
    let stepsAnEpoch = (0..<learners).map { learner in
        let own = groupsOf(learner)
        let size = own.reduce(0) { $0 + weights[$1].reduce(0, +) }
        return max(1, size / Double(max(1, own.count) * settings.batch(of: parts[0])))
    }
    let budgets = stepsAnEpoch.map { steps in
        let share = settings.paper ? steps / (stepsAnEpoch.max() ?? 1) : 1
        return EarlyStopping(
            patience: settings.patience,
            maxSteps: max(1, Int((Double(settings.maxSteps) * share).rounded(.up)))
        )
    }
    var state = MStepState(
        budgets: budgets,
        rewardScale: Array(repeating: 1, count: groups),
        since: Array(repeating: TrainingSums(), count: groups)
    )
    var samplers = makeSamplers(
        users,
        parts,
        responsibilities: responsibilities,
        models: trained,
        settings: settings,
        round: round
    )

    /// How many comparisons of each model of a vector each shard draws in a step: as many for each of its groups as a
    /// model by itself has, spread over them and over shards as their comparisons are.
    func quotas(ofVector vector: Int, step: Int) -> [Int: [Int]] {
        let own = modelsOf(vector)
        let shardWeights = own.flatMap { weights[$0] }
        let part = parts[vector / learners]
        let most = Int(shardWeights.reduce(0, +).rounded(.up))
        let batch = max(1, min(own.count * settings.batch(of: part), most))
        let counts = batchQuotas(shardWeights: shardWeights, batch: batch, step: step)
        return Dictionary(
            uniqueKeysWithValues: own.enumerated().map { index, model in
                (model, Array(counts[index * users.shardCount..<(index + 1) * users.shardCount]))
            }
        )
    }

    func validate(_ active: [Int], step: Int) throws {
        var told = [Validation.Group?](repeating: nil, count: groups)
        let shards = active.flatMap(groupsOf).count * parts.count * users.localShards.count
        var passed = 0
        for learner in active {
            if settings.paper {
                if state.budgets[learner].spend(step: step) { vectorsOf(learner).forEach(models.saveBest) }
                for group in groupsOf(learner) {
                    told[group] = Validation.Group(nil, state.since[group], bestStep: step)
                }
                continue
            }
            let found = try groupsOf(learner).map { group in
                let loss = try validationLoss(
                    of: group,
                    on: parts,
                    models,
                    users: users,
                    responsibilities: responsibilities,
                    most: settings.validationComparisons,
                    seed: settings.seed,
                    looked: {
                        passed += 1
                        try report(.passed(.validation, done: passed, of: shards))
                    }
                )
                guard loss.loss.isFinite else {
                    throw notFinite("validation loss", group: group, named: name, step: step)
                }
                return loss
            }
            let isBest = state.budgets[learner].observe(loss: pooledLoss(found), step: step)
            for (group, loss) in zip(groupsOf(learner), found) {
                let bestStep = state.budgets[learner].bestStep
                told[group] = Validation.Group(loss, state.since[group], bestStep: bestStep)
            }
            guard isBest else { continue }
            vectorsOf(learner).forEach(models.saveBest)
            for (group, loss) in zip(groupsOf(learner), found) { state.rewardScale[group] = loss.rewardScale }
        }
        // The paper's way comes here after every step, to end at the right one.
        guard step % settings.evaluateEvery == 0 || active.contains(where: { state.budgets[$0].stopped }) else {
            return
        }
        let rate = schedule.rate(at: max(1, step))
        try report(.validation(fit, Validation(step: step, learningRate: Double(rate), groups: told)))
        state.since = Array(repeating: TrainingSums(), count: groups)
    }

    models.beginTraining(settings, over: users.communicator)
    if let saved,
        let found = try saved.record(
            "m-step",
            as: MStepState.self,
            where: { $0.isValid(groups: groups, budgets: learners, maxSteps: settings.maxSteps) }
        )
    {
        state = found
        try saved.fill(models.trainingVectors)
        try models.resumeTraining(
            updates: (0..<models.vectors).map {
                trainedVectors.contains($0) ? min(state.step, state.budgets[$0 % learners].end) : 0
            },
            over: users.communicator
        )
        // What a sampler drew until then is a matter of the quotas alone.
        for vector in trainedVectors {
            for step in stride(from: 1, through: min(state.step, state.budgets[vector % learners].end), by: 1) {
                for (model, quotas) in quotas(ofVector: vector, step: step) {
                    for (index, local) in users.localShards.enumerated() {
                        _ = samplers[index][model]?.draw(quotas[local.shard])
                    }
                }
            }
        }
        try report(.began(fit, step: state.step, of: settings.maxSteps))
    } else {
        try report(.began(fit, step: 0, of: settings.maxSteps))
        try validate(learning, step: 0)
    }
    for step in stride(from: state.step + 1, through: settings.maxSteps, by: 1) {
        let active = learning.filter { !state.budgets[$0].stopped }
        if active.isEmpty { break }
        let vectors = trainedVectors.filter { active.contains($0 % learners) }
        let training = vectors.flatMap(modelsOf)
        let quotas = Dictionary(uniqueKeysWithValues: vectors.flatMap { quotas(ofVector: $0, step: step) })
        // Per shard and model: Σ loss and the count of comparisons.
        var shardStatistics = Array(
            repeating: Array(repeating: 0.0, count: 2 * models.count),
            count: users.localShards.count
        )
        try models.sumGradients(over: users.tree, users.communicator) { index in
            let local = users.localShards[index]
            try users.communicator.enter(.forward, step: step)
            let batches = training.compactMap { model -> TrainingBatch? in
                guard let quota = quotas[model]?[local.shard], quota > 0,
                    let drawn = samplers[index][model]?.draw(quota)
                else { return nil }
                return TrainingBatch(model: model, comparisons: drawn)
            }
            for (batch, loss) in zip(batches, try models.addGradients(of: batches)) {
                shardStatistics[index][2 * batch.model] = loss
                shardStatistics[index][2 * batch.model + 1] = Double(batch.comparisons.count)
            }
            try users.communicator.enter(.backward, step: step, with: &shardStatistics[index])
            if index == users.localShards.count - 1 { try users.communicator.enter(.reduce, step: step) }
        }
        let statistics = try users.communicator.sumOverShards(shardStatistics, width: 2 * models.count)
        if let model = training.first(where: { !statistics[2 * $0].isFinite }) {
            throw notFinite("loss", group: model % groups, named: name, step: step)
        }
        for model in training {
            let (loss, comparisons) = (statistics[2 * model], statistics[2 * model + 1])
            state.since[model % groups].add(loss: loss, comparisons: comparisons)
        }
        for vector in vectors {
            let drawn = modelsOf(vector).reduce(0) { $0 + statistics[2 * $1 + 1] }
            // The batch was drawn in proportion to q, so its mean is the gradient of the loss above.
            let norm = try models.update(
                vector,
                gradientScale: Float(1 / drawn),
                learningRate: schedule.rate(at: step),
                over: users.communicator
            )
            guard norm.isFinite else {
                let group = vector % learners * models.heads
                throw notFinite("gradient", group: group, named: name, step: step)
            }
            for group in Set(modelsOf(vector).map { $0 % groups }) { state.since[group].add(norm: norm) }
        }
        if settings.paper || step % settings.evaluateEvery == 0 || step == settings.maxSteps {
            try validate(active, step: step)
        }
        let loss = training.reduce(0) { $0 + statistics[2 * $1] } / training.reduce(0) { $0 + statistics[2 * $1 + 1] }
        try report(.step(step, loss: loss, replicas: models.replicas))
        state.step = step
        try atBoundary {
            try TrainingState(state, as: "m-step", models.trainingVectors, replicas: models.replicas)
        }
    }
    for vector in learning.flatMap(vectorsOf) { models.restoreWeights(of: vector) }
    for model in 0..<models.count where state.rewardScale[model % groups] < 1 {
        models.scaleRewards(of: model, by: Float(state.rewardScale[model % groups]))
    }
    try models.endTraining(over: users.communicator)
    return (0..<groups).map { group in
        let budget = state.budgets[group / models.heads]
        let bestLoss = populated.contains(group) && budget.bestLoss.isFinite ? budget.bestLoss : nil
        return GroupTraining(steps: budget.steps, bestStep: budget.bestStep, bestLoss: bestLoss)
    }
}

extension Validation.Group {
    fileprivate init(_ loss: ValidationLoss?, _ training: TrainingSums, bestStep: Int) {
        self.init(
            loss: loss?.loss,
            accuracy: loss?.accuracy,
            margin: loss?.margin,
            rewardScale: loss?.rewardScale,
            bestStep: bestStep,
            trainingLoss: training.meanLoss,
            gradientNorm: training.meanNorm
        )
    }
}

extension RewardMixtureSettings {
    /// Comparisons a step of the model of a part: one that sees but a part of all has that part of the batch, and so
    /// has gone through its comparisons as often after as many steps.
    fileprivate func batch(of part: ComparisonSplit.Key) -> Int {
        part == .final || folds == 1 ? batchComparisons : batchComparisons * (folds - 1) / folds
    }
}

private func notFinite(_ what: String, group: Int, named name: String, step: Int) -> Failure {
    Failure(
        .internalError,
        "\(what) of group \(group) is not finite in the fit \"\(name)\", step \(step); lower reward.learning_rate"
    )
}
