import Foundation
import Optimizers
import Preferences

/// How often an empty group is seeded again in one start, per group, before it may stay empty: with K above the truth a
/// superfluous group would otherwise be filled and emptied for ever.
private let seedingsPerGroup = 2

/// Alternates M-step and E-step from `start` until `stopReason` says so; the iteration of highest likelihood is the
/// result, or as in the paper the last one.
///
/// `models`: F of each group, model `f·K + u` that of group u which does not see fold f, so that every E-step asks
/// models that have not seen the comparison. All decisions are taken from numbers that are the same on every rank.
/// `saved` is a state to go on from, as `atBoundary` was given it; `start` is then not asked for.
func expectationMaximization(
    _ models: some RewardModels,
    users: ShardedUsers,
    start: () throws -> [[Double]],
    settings: RewardMixtureSettings,
    restart: Int,
    from saved: (any SavedState)?,
    atBoundary: StepBoundary,
    report: (MixtureEvent) throws -> Void
) throws -> StartOutcome {
    let groups = models.count / settings.folds
    let seedings = settings.assignment == .known || settings.paper ? 0 : seedingsPerGroup * (groups - 1)
    let found = try saved?.record("em", as: EMState.self) { $0.isValid(members: users.members, groups: groups) }
    var state = try found ?? EMState(from: start(), seedings: seedings)
    var savedStep = found == nil ? nil : saved?.under("step")
    while true {
        let iteration = state.iterations.count + 1
        var fit = MixtureFit(kind: .mixture, groups: groups, restart: restart, iteration: iteration)
        fit.stepsBefore = state.iterations.reduce(0) { $0 + 1 + ($1.training.map(\.steps).max() ?? 0) }
        let before = state.responsibilities
        let training = try maximize(
            models,
            users: users,
            responsibilities: before,
            on: settings.emParts,
            settings: settings,
            named: fit,
            round: 1 + restart * settings.maxIterations + iteration,
            from: savedStep,
            atBoundary: { step in
                try atBoundary { try TrainingState(state, as: "em", []).adding(step(), under: "step") }
            },
            report: report
        )
        savedStep = nil

        let scores = try score(
            users,
            under: models,
            folds: settings.folds,
            groups: groups,
            named: fit.name,
            looked: { try report(.passed(.expectation, done: $0, of: $1)) }
        )
        let temperature = annealedTemperature(at: iteration, settings)
        let shares = groupShares(before, groups: groups)
        // A model that had no users is untrained, and its likelihoods mean nothing: only seeding opens an empty group.
        let eligible = scores.logLikelihoods.map { row in zip(row, shares).map { $1 > 0 ? $0 : -.infinity } }
        let after = expectation(
            eligible,
            members: users.members,
            before: before,
            temperature: temperature,
            assignment: settings.assignment
        )
        let logLikelihood =
            settings.assignment == .soft
            ? mixtureLogLikelihood(scores.logLikelihoods, shares: shares)
            : assignedLogLikelihood(scores.logLikelihoods, assignments: after.map(argmax))
        state.responsibilities = after
        state.history.append(after)

        var seeded: MixtureIteration.Seeding?
        let empties = emptyGroups(after, groups: groups)
        if let empty = empties.first, state.seedingsLeft > 0, iteration < settings.maxIterations {
            let found = try seeds(users, logLikelihoods: eligible, models: models, folds: settings.folds)
            let side = found.first { side in
                // Nobody gains by a group that is filled from another one altogether.
                emptyGroups(moving(side, to: empty, in: after), groups: groups).allSatisfy(empties.contains)
            }
            if let side {
                for fold in 0..<settings.folds { models.resetWeights(of: fold * groups + empty) }
                state.responsibilities = moving(side, to: empty, in: after)
                state.seed = state.responsibilities.map(argmax)
                seeded = MixtureIteration.Seeding(group: empty, users: side)
                state.seedingsLeft -= 1
            }
        }

        let changes = changedAssignments(before, after)
        let record = MixtureIteration(
            restart: restart,
            iteration: iteration,
            temperature: temperature,
            logLikelihood: logLikelihood,
            logLikelihoodPerComparison: scores.perComparison(logLikelihood),
            groupSizes: groupSizes(after, groups: groups),
            changes: changes,
            accuracy: scores.assignAccuracies(after.map(argmax), groups: groups),
            training: training,
            seeded: seeded
        )
        // With a small group the likelihood may fall from one iteration to the next, so the best iteration is the
        // result. While the temperature is above 1 the responsibilities are not yet posteriors, and after seeding a
        // group they are not yet those of any models: such iterations are no result.
        let isFinished = temperature == 1 && seeded == nil
        let gains = state.best.map { logLikelihood - $0.logLikelihood > settings.tolerance * abs($0.logLikelihood) }
        // The first models of a group that has just been seeded may lose a little and gain later.
        state.iterationsWithoutGain =
            isFinished && !state.justSeeded && gains == false ? state.iterationsWithoutGain + 1 : 0
        state.iterations.append(record)
        if isFinished, settings.paper || logLikelihood > state.best?.logLikelihood ?? -.infinity {
            state.best = BestIteration(scores: scores, responsibilities: after, logLikelihood: logLikelihood)
        }
        let reason = stopReason(
            iteration: iteration,
            changes: changes,
            shift: largestShift(before, after),
            iterationsWithoutGain: state.iterationsWithoutGain,
            isFinished: isFinished,
            settings: settings
        )
        try report(.iteration(record))
        if let reason, let best = state.best {
            return StartOutcome(
                scores: best.scores,
                responsibilities: best.responsibilities,
                logLikelihood: best.logLikelihood,
                seed: state.seed,
                iterations: state.iterations,
                history: state.history,
                stopReason: reason
            )
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

/// Groups with less than half a user, which soft shares never leave for good; ascending.
func emptyGroups(_ responsibilities: [[Double]], groups: Int) -> [Int] {
    let sizes = groupSizes(responsibilities, groups: groups)
    return sizes.indices.filter { sizes[$0] < 0.5 }
}

/// The soft E-step's temperature in an iteration (counted from 1): falls geometrically to 1.
func annealedTemperature(at iteration: Int, _ settings: RewardMixtureSettings) -> Double {
    guard settings.assignment == .soft else { return 1 }
    return max(1, settings.temperature * pow(settings.temperatureDecay, Double(iteration - 1)))
}

extension RewardMixtureSettings {
    /// The first iteration at temperature 1, since no earlier one can be the result; nil where there is none.
    package var iterationsOfAnnealing: Int? {
        guard assignment == .soft, temperature > 1 else { return 1 }
        let decays = (log(temperature) / -log(temperatureDecay)).rounded(.up)
        guard temperatureDecay < 1, decays < 1e9 else { return nil }
        // Rounding may have taken one too few.
        let first = 1 + Int(decays)
        return annealedTemperature(at: first, self) == 1 ? first : first + 1
    }

    /// Why no iteration could be the result; nil where all is well.
    package var annealingProblem: String? {
        guard let first = iterationsOfAnnealing else {
            return "no iteration has temperature 1, and no other one is a result: lower reward.temperature_decay"
        }
        guard first > maxIterations else { return nil }
        return
            "is \(maxIterations); the temperature is 1 from iteration \(first) on, and no earlier one is a result: "
            + "raise it, or lower reward.temperature or reward.temperature_decay"
    }
}
