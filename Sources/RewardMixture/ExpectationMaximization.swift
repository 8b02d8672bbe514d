import Optimizers

/// What EM reached from one start, and the models that it reached it with.
struct FittedStart<Models: RewardModels> {
    let models: Models
    let outcome: StartOutcome
}

/// How often an empty group is seeded again in one start, per group, before it may stay empty: with K above the truth a
/// superfluous group would otherwise be filled and emptied for ever.
private let seedingsPerGroup = 2

/// Alternates M-step and E-step from `start` until `stopReason` says so; the iteration of highest likelihood is the
/// result.
///
/// All decisions are taken from numbers that are the same on every rank. `saved` is a state to go on from, as
/// `atBoundary` was given it; `start` is then not asked for.
func expectationMaximization<Models: RewardModels>(
    _ models: Models,
    users: ShardedUsers,
    start: () throws -> [[Double]],
    settings: RewardMixtureSettings,
    restart: Int,
    from saved: (any SavedState)?,
    atBoundary: StepBoundary,
    report: (MixtureEvent) throws -> Void
) throws -> FittedStart<Models> {
    let groups = models.count
    let seedings = settings.assignment == .known ? 0 : seedingsPerGroup * (groups - 1)
    let found = try saved?.record("em", as: EMState.self) { $0.isValid(members: users.members, groups: groups) }
    var state = try found ?? EMState(responsibilities: start(), seedingsLeft: seedings)
    var bestWeights = state.best == nil ? [] : models.copiedWeights()
    try saved?.fill(vectors(bestWeights, "best"))
    var savedStep = found == nil ? nil : saved?.under("step")
    while true {
        let iteration = state.iterations.count + 1
        let stage = "mixture, start \(restart + 1), iteration \(iteration)"
        let before = state.responsibilities
        let training = try maximize(
            models,
            users: users,
            responsibilities: before,
            settings: settings,
            stage: stage,
            round: 1 + restart * settings.maxIterations + iteration,
            from: savedStep,
            atBoundary: { step in
                try atBoundary {
                    try TrainingState(state, as: "em", vectors(bestWeights, "best")).adding(step(), under: "step")
                }
            },
            progress: {
                try report(.step(stage: stage, step: $0, of: settings.maxSteps, replicas: models.replicas))
            }
        )
        savedStep = nil

        let scores = try score(users, under: models, stage: stage)
        let temperature = annealedTemperature(at: iteration, settings)
        let shares = groupShares(before, groups: groups)
        // A model that had no users is untrained, and its likelihoods mean nothing: only seeding opens an empty group.
        let eligible = scores.logLikelihoods.map { row in zip(row, shares).map { $1 > 0 ? $0 : -.infinity } }
        let final = expectation(
            eligible,
            members: users.members,
            before: before,
            temperature: temperature,
            assignment: settings.assignment
        )
        let logLikelihood =
            settings.assignment == .soft
            ? mixtureLogLikelihood(scores.logLikelihoods, shares: shares)
            : assignedLogLikelihood(scores.logLikelihoods, assignments: final.map(argmax))
        state.responsibilities = final

        // A group is empty below half a user: soft shares never reach 0.
        var seeded: MixtureIteration.Seeding?
        let empty = groupSizes(final, groups: groups).firstIndex { $0 < 0.5 }
        if let empty, state.seedingsLeft > 0, iteration < settings.maxIterations {
            let found = try seeds(users, logLikelihoods: eligible, models: models)
            if !found.isEmpty {
                models.resetWeights(of: empty)
                state.responsibilities = moving(found, to: empty, in: final)
                seeded = MixtureIteration.Seeding(group: empty, users: found)
                state.seedingsLeft -= 1
            }
        }

        let changes = changedAssignments(before, final)
        let assignments = final.map(argmax)
        let record = MixtureIteration(
            restart: restart,
            iteration: iteration,
            temperature: temperature,
            logLikelihood: logLikelihood,
            logLikelihoodPerComparison: scores.perComparison(logLikelihood),
            groupSizes: groupSizes(final, groups: groups),
            changes: changes,
            testAccuracy: (0..<groups).map { group in
                scores.testAccuracy(of: group, users: assignments.indices.filter { assignments[$0] == group })
            },
            training: training,
            seeded: seeded
        )
        let reason = stopReason(
            iteration: iteration,
            changes: changes,
            shift: largestShift(before, final),
            logLikelihood: logLikelihood,
            previous: state.iterations.last?.logLikelihood,
            settled: temperature == 1 && seeded == nil && !state.justSeeded,
            assignment: settings.assignment,
            settings: settings
        )
        state.iterations.append(record)
        try report(.iteration(record))
        // The M-step lowers the loss on `validation`, the E-step reads `assign`: with a small group the likelihood may
        // fall from one iteration to the next. The best iteration is the result. (One after which a group was seeded
        // anew is unfinished: it counts only where there is no other.)
        if state.best == nil || (seeded == nil && logLikelihood > state.bestLogLikelihood) {
            state.best = BestIteration(
                scores: scores,
                responsibilities: final,
                logLikelihood: logLikelihood,
                isUnfinished: seeded != nil
            )
            bestWeights = models.copiedWeights()
        }
        if let reason, let best = state.best {
            for group in 0..<groups { models.setWeights(bestWeights[group], of: group) }
            let outcome = StartOutcome(
                scores: best.scores,
                responsibilities: best.responsibilities,
                logLikelihood: best.logLikelihood,
                iterations: state.iterations,
                stopReason: reason
            )
            return FittedStart(models: models, outcome: outcome)
        }
        state.justSeeded = seeded != nil
    }
}

/// The E-step.
private func expectation(
    _ logLikelihoods: [[Double]],
    members: [UserInfo],
    before: [[Double]],
    temperature: Double,
    assignment: AssignmentRule
) -> [[Double]] {
    switch assignment {
    case .known: before
    case .hard:
        // A user without `assign` comparisons has no likelihood to compare and keeps its group.
        zip(hardResponsibilities(logLikelihoods), zip(members, before)).map { assigned, old in
            old.0.assignCount == 0 ? old.1 : assigned
        }
    case .soft:
        softResponsibilities(
            logLikelihoods,
            shares: groupShares(before, groups: before[0].count),
            temperature: temperature
        )
    }
}

/// The soft E-step's temperature in an iteration (counted from 1): falls geometrically to 1.
func annealedTemperature(at iteration: Int, _ settings: RewardMixtureSettings) -> Double {
    guard settings.assignment == .soft else { return 1 }
    var temperature = settings.temperature
    for _ in 1..<max(1, iteration) { temperature *= settings.temperatureDecay }
    return max(1, temperature)
}
