package import Collectives
import Failures
import LanguageModels
import Optimizers
import Tensors

/// What a training run carries from step to step besides the weights and the optimizer's moments.
package struct PolicyState: Equatable, Sendable {
    /// Steps done.
    package internal(set) var step = 0
    /// The groups' weights.
    package internal(set) var weighting: GroupWeighting
    /// How far the policy is from the reference.
    package internal(set) var divergence = DivergenceTrend()
    /// Steps with non-finite numbers, in a row, up to the last.
    package internal(set) var badSteps = 0
    /// Whether the weights are known to be good: the last step met no number that is not finite.
    package var isGood: Bool { badSteps == 0 }
    /// The worst-off group of the last step.
    package internal(set) var worstGroup: Int?
    /// What reference samples of the prompts met so far are worth, for `log-sigmoid`.
    var medians = PromptMedians()

    /// The state before the first step; `correlations` as for `GroupWeighting`.
    package init(_ settings: PolicySettings, groupSizes: [Double], correlations: [[Double]] = []) {
        weighting = GroupWeighting(settings, groupSizes: groupSizes, correlations: correlations)
    }

    /// Whether training has ended: after its steps, or at its `maxKL`.
    package func isDone(_ settings: PolicySettings) -> Bool { step >= settings.steps || hasReached(settings.maxKL) }

    /// Whether the policy is as far from the reference as it may be.
    package func hasReached(_ maxKL: Double?) -> Bool { maxKL.map { divergence.latest >= $0 } ?? false }
}

extension PolicyState {
    /// What a checkpoint holds of a state, and how many updates the optimizer has made.
    package struct Record: Codable, Equatable, Sendable {
        /// Optimizer updates made.
        package let updates: Int
        let step: Int
        let memory: [Double]
        let weights: [Double]
        let divergence: DivergenceTrend
        let badSteps: Int
        let worstGroup: Int?
        let medians: PromptMedians

        /// Whether its numbers are those of a training of this length, for so many groups by so many reward models.
        package func isValid(steps: Int, groups: Int, models: Int) -> Bool {
            updates >= 0 && (0...steps).contains(step) && [memory.count, weights.count] == [groups, groups]
                && (memory + weights).allSatisfy(\.isFinite)
                && divergence.isValid && badSteps >= 0 && (0..<groups).contains(worstGroup ?? 0)
                && medians.areOf(models)
        }
    }

    /// This state as a record.
    package func record(updates: Int) -> Record {
        Record(
            updates: updates,
            step: step,
            memory: weighting.memory,
            weights: weighting.chosen,
            divergence: divergence,
            badSteps: badSteps,
            worstGroup: worstGroup,
            medians: medians
        )
    }

    /// The state that a record holds, which is valid, under the settings that it was recorded with.
    package init(_ record: Record, settings: PolicySettings, groupSizes: [Double]) {
        self.init(settings, groupSizes: groupSizes)
        step = record.step
        weighting.adopt(memory: record.memory, chosen: record.weights)
        divergence = record.divergence
        badSteps = record.badSteps
        worstGroup = record.worstGroup
        medians = record.medians
    }
}

/// Trains a policy for its groups (Algorithm 1 of arXiv 2402.08925); every rank calls it.
///
/// A step: rollouts on this rank's prompts → rewards under every group's model → all-reduce of the utilities → the root
/// weighs the groups → advantages → update on gradients summed over shards.
///
/// Training ends after `settings.steps` steps, or at the first whose divergence reaches `settings.maxKL`: that step
/// makes no update, so the policy is the one that was found to be so far.
///
/// - Parameters:
///   - policy: starts as a copy of `reference`, with a value head for `ppo`.
///   - state: where to go on from; nil at the start of a run.
///   - onStep: called after every step on every rank, for metrics, progress and checkpoints; its error ends the
///     training.
/// - Returns: the state after the last step.
/// - Throws: `Failure(.configuration)` or `Failure(.badData)` for settings or a task that make no sense,
///   `Failure(.internalError)` after `max_bad_steps` steps in a row with non-finite numbers, or where the last is one.
package func trainPolicy<Policy: TrainablePolicy>(
    _ policy: Policy,
    reference: Policy.Reference,
    task: PolicyTask,
    settings: PolicySettings,
    from state: PolicyState? = nil,
    communicator: any Communicator,
    onStep: (PolicyStepRecord, PolicyState) throws -> Void
) throws -> PolicyState {
    try task.validate(settings)
    var state =
        state
        ?? PolicyState(
            settings,
            groupSizes: task.groupSizes,
            correlations: task.calibration.groupCorrelations(task.groupSizes.count)
        )
    while !state.isDone(settings) {
        let record = try trainingStep(
            policy,
            reference: reference,
            task: task,
            settings: settings,
            state: &state,
            communicator: communicator
        )
        try onStep(record, state)
        guard state.badSteps < settings.maxBadSteps, state.isGood || !state.isDone(settings) else {
            let steps = state.badSteps == 1 ? "the last step" : "the last \(state.badSteps) steps"
            throw Failure(
                .internalError,
                "\(steps) gave numbers that are not finite; lower policy.learning_rate",
                at: "policy step \(state.step)"
            )
        }
    }
    return state
}

private func trainingStep<Policy: TrainablePolicy>(
    _ policy: Policy,
    reference: Policy.Reference,
    task: PolicyTask,
    settings: PolicySettings,
    state: inout PolicyState,
    communicator: any Communicator
) throws -> PolicyStepRecord {
    state.step += 1
    let step = state.step
    let groups = task.groupSizes.count
    let models = task.calibration.means.count
    let beta = settings.beta
    var timer = PhaseTimer()

    // Rollouts. Beyond sampling, each shard's work is batched by itself, so that a kernel sees the same shapes on any
    // number of ranks.
    try communicator.enter(.rollout, step: step)
    let hosted = Array(task.shards.hosted(by: communicator.rank))
    let sampled = sampleRollouts(
        draw: step,
        perStep: settings.promptsPerStep,
        from: policy,
        task: task,
        settings: settings,
        step: step,
        communicator: communicator
    )
    var batches = zip(hosted, sampled).map { ShardBatch(shard: $0, rollouts: $1) }
    timer.end("sample")
    for index in batches.indices {
        try communicator.enter(.score, step: step)
        scoreRollouts(
            &batches[index].rollouts,
            policy: policy,
            reference: reference,
            temperature: settings.temperature,
            microBatchTokens: settings.microBatchTokens
        )
    }
    timer.end("score")

    // Rewards and utilities.
    for index in batches.indices {
        let rollouts = batches[index].rollouts
        var raw = try rawRewards(of: rollouts, by: task.rewards, models: models)
        try communicator.enter(.reward, step: step, with: &raw[0])
        let promptMedians =
            task.calibration.method == .logSigmoid
            ? try state.medians.medians(
                of: rollouts,
                task: task,
                reference: reference,
                options: SamplingOptions(settings, task)
            )
            : Array(repeating: [], count: models)
        batches[index].rawRewards = raw
        batches[index].rewards = (0..<models).map {
            task.calibration.calibrated(raw[$0], model: $0, medians: promptMedians[$0])
        }
    }
    if task.calibration.method == .logSigmoid { try state.medians.share(over: communicator) }
    timer.end("reward")
    let summary = try StepSummary(batches, groups: groups, models: models, communicator: communicator)
    var record = PolicyStepRecord()
    record.step = step
    record.beta = beta
    record.learningRate = settings.rates.rate(at: step)
    record.describe(summary, groups: groups, previousWorst: state.worstGroup)
    guard summary.isFinite else {
        state.badSteps += 1
        record.skipped = true
        record.badSteps = state.badSteps
        record.weights = state.weighting.weights
        record.phases = try timer.phases(summary, epochs: 0, communicator: communicator)
        return record
    }
    state.worstGroup = record.worstGroup
    state.divergence.observe(summary.kl)
    record.klSmoothed = state.divergence.latest
    record.reachedMaxKL = state.hasReached(settings.maxKL)

    // Weights: the root's, on every rank.
    let groupUtilities = Array(record.utilities[..<groups])
    let referenceUtilities = Array(task.calibration.referenceUtilities[..<groups])
    if communicator.rank == 0 {
        state.weighting.observe(utilities: groupUtilities, reference: referenceUtilities, own: task.ownUtilities)
    }
    var roots = (state.weighting.memory + state.weighting.chosen).map { Float($0) }
    var span = roots.mutableSpan
    try communicator.broadcast(&span)
    state.weighting.adopt(
        memory: roots.prefix(groups).map { Double($0) },
        chosen: roots.suffix(groups).map { Double($0) }
    )
    guard state.weighting.weights.allSatisfy(\.isFinite) else {
        throw Failure(
            .internalError,
            "the groups' weights are not finite; bring the keys of policy.objectives nearer to their defaults",
            at: "policy step \(step)"
        )
    }
    let combined = batches.map {
        combinedRewards($0.rewards, weighting: state.weighting.weights, settings: settings)
    }
    switch settings.objective {
    case .perResponse: record.weights = summary.leastShares
    case .single: record.weights = Array(repeating: 0, count: groups)
    default: record.weights = state.weighting.weights
    }
    let objective = try communicator.sumOverShards(
        combined.map { rewards in [rewards.reduce(0.0) { $0 + Double($1) }] },
        width: 1
    )
    record.objective = objective[0] / Double(max(summary.responses, 1)) - Double(beta) * summary.kl

    // Update, unless the policy is where it is to be.
    guard !record.reachedMaxKL else {
        state.badSteps = 0
        record.phases = try timer.phases(summary, epochs: 0, communicator: communicator)
        return record
    }
    try estimateAdvantages(
        &batches,
        combined: combined,
        weights: state.weighting.weights,
        beta: beta,
        settings: settings,
        communicator: communicator
    )
    let update = try updatePolicy(
        policy,
        on: batches,
        settings: settings,
        step: step,
        seed: task.seed,
        shards: task.shards.tree,
        communicator: communicator
    )
    timer.end("update")
    state.badSteps = update.isFinite ? 0 : state.badSteps + 1
    record.describe(update)
    record.badSteps = state.badSteps
    record.phases = try timer.phases(summary, epochs: update.epochs, communicator: communicator)
    return record
}

extension PolicyStepRecord {
    /// Takes over what was known before the update.
    fileprivate mutating func describe(_ summary: StepSummary, groups: Int, previousWorst: Int?) {
        rawRewards = summary.rawRewards
        rewards = summary.rewards
        histograms = summary.histograms
        utilities = summary.rewards.map { $0 - Double(beta) * summary.kl }
        worstGroup = MaxMinPolicy.worstGroup(Array(utilities[..<groups]))
        worstGroupChanged = previousWorst.map { $0 != worstGroup } ?? false
        kl = summary.kl
        entropy = summary.entropy
        responseTokens = summary.responseTokens
        finished = summary.finished
    }

    /// Takes over what the update did.
    fileprivate mutating func describe(_ update: UpdateSummary) {
        let tokens = max(update.tokens, 1)
        policyLoss = update.policyLoss / tokens
        valueLoss = update.valueLoss / tokens
        clipFraction = update.clipped / tokens
        updateKL = update.divergence
        gradientNorm = update.gradientNorm / Double(max(update.updates, 1))
        updates = update.updates
        stoppedEarly = update.stoppedEarly
        skipped = !update.isFinite
    }
}
