package import Collectives
import Failures
package import Optimizers
import Preferences

/// Fits the single reward model and a mixture of K reward models by expectation–maximization over users (MaxMin-RLHF,
/// arXiv 2402.08925, Algorithm 2).
///
/// Every rank calls it with the users of its own shards; results are the same on every rank, and do not depend on how
/// shards lie on ranks. `makeModels(n)` makes n equal models with the weights that training starts from. `reusing`
/// takes the single model of an earlier fit to the same users, for `known` assignment. `saved` is a state to go on
/// from, as `atBoundary` was given it in an earlier process: the result has the same bits as without the break. Throws
/// `configuration` or `badData` for settings or users that cannot work, and `internalError` on all ranks, naming stage
/// and step, where a loss, gradient or reward is not finite on any.
///
/// Once EM has ended, every model is trained anew on `fit` and `assign` together: no E-step will read `assign` again.
/// Responsibilities and log-likelihoods are those of EM; only `test` accuracies are of the final models.
package func fitRewardMixture<Models: RewardModels>(
    _ localUsers: [ShardedUser],
    settings: RewardMixtureSettings,
    over communicator: any Communicator,
    reusing earlier: FittedMixture<Models>? = nil,
    from saved: (any SavedState)? = nil,
    atBoundary: StepBoundary = { _ in },
    makeModels: (Int) throws -> Models,
    report: (MixtureEvent) throws -> Void
) throws -> FittedMixture<Models> {
    let users = try ShardedUsers(localUsers, over: communicator)
    guard users.members.contains(where: { $0.fitCount > 0 }) else {
        throw Failure(.badData, "no comparisons to fit a reward model to")
    }
    let labels = settings.assignment == .known ? try knownLabels(users.members) : nil
    let groups = labels?.count ?? settings.groups
    precondition(earlier == nil || labels != nil, "the single model of an earlier fit has seen `assign`")
    guard groups <= users.members.count else {
        throw Failure(
            .configuration,
            "\(groups) groups of \(users.members.count) users; ask for fewer",
            at: "reward.groups"
        )
    }

    let found = try saved?.record("fit", as: MixtureState.self) { $0.isValid(members: users.members, groups: groups) }
    var state = found ?? MixtureState()
    let single = try earlier?.single ?? makeModels(1)
    if let earlier {
        state.single = .init(training: earlier.singleTraining, scores: earlier.singleScores)
    } else if state.single != nil {
        try saved.map { try single.fillWeights("single", from: $0) }
    }
    var best: FittedStart<Models>?
    if let outcome = state.best {
        let models = try makeModels(groups)
        try saved.map { try models.fillWeights("best", from: $0) }
        best = FittedStart(models: models, outcome: outcome)
    }
    /// The state of all this, with that of the training under way under a name.
    func boundary(_ name: String, _ inner: @escaping () throws -> TrainingState) throws {
        try atBoundary {
            // A model of an earlier fit is in its state already.
            let singles = state.single == nil || earlier != nil ? [] : single.weightVectors("single")
            let outer = try TrainingState(state, as: "fit", singles + (best?.models.weightVectors("best") ?? []))
            return try outer.adding(inner(), under: name)
        }
    }

    let (singleTraining, singleScores): (GroupTraining, UserScores)
    if let fitted = state.single {
        (singleTraining, singleScores) = (fitted.training, fitted.scores)
    } else {
        (singleTraining, singleScores) = try fitSingle(
            single,
            users,
            settings: settings,
            from: saved?.under("single"),
            atBoundary: { try boundary("single", $0) },
            report: report
        )
        state.single = .init(training: singleTraining, scores: singleScores)
    }

    var savedStart = saved?.under("start")
    let restarts = settings.assignment == .known ? 1 : settings.restarts
    for restart in stride(from: state.logLikelihoods.count, to: restarts, by: 1) {
        let models = try makeModels(groups)
        if labels == nil, settings.start == .residual { models.copyWeights(to: 0, from: single, model: 0) }
        let fitted = try expectationMaximization(
            models,
            users: users,
            start: {
                try startResponsibilities(
                    users,
                    labels: labels,
                    groups: groups,
                    single: single,
                    singleScores: singleScores,
                    settings: settings,
                    restart: restart
                )
            },
            settings: settings,
            restart: restart,
            from: savedStart,
            atBoundary: { try boundary("start", $0) },
            report: report
        )
        savedStart = nil
        state.logLikelihoods.append(fitted.outcome.logLikelihood)
        if fitted.outcome.logLikelihood > (best?.outcome.logLikelihood ?? -.infinity) { best = fitted }
        state.best = best?.outcome
    }
    guard let best else { throw Failure(.internalError, "no start of the reward mixture has a finite likelihood") }
    let final =
        try state.final
        ?? finalFit(
            best.models,
            users,
            responsibilities: best.outcome.responsibilities,
            scores: best.outcome.scores,
            settings: settings,
            stage: "final fit",
            from: saved?.under("final"),
            atBoundary: { try boundary("final", $0) },
            report: report
        )
    state.final = final
    let finalSingle =
        try earlier.map { FinalFit(training: [$0.finalSingleTraining], scores: $0.singleScores) } ?? state.finalSingle
        ?? finalFit(
            single,
            users,
            responsibilities: users.everyoneInOneGroup,
            scores: singleScores,
            settings: settings,
            stage: "final single",
            from: saved?.under("final-single"),
            atBoundary: { try boundary("final-single", $0) },
            report: report
        )
    return FittedMixture(
        models: best.models,
        single: single,
        labels: labels,
        scores: final.scores,
        singleScores: finalSingle.scores,
        responsibilities: best.outcome.responsibilities,
        shares: groupShares(best.outcome.responsibilities, groups: groups),
        singleTraining: singleTraining,
        finalTraining: final.training,
        finalSingleTraining: finalSingle.training[0],
        iterations: best.outcome.iterations,
        stopReason: best.outcome.stopReason,
        restartLogLikelihoods: state.logLikelihoods
    )
}

/// Fits the baseline: one reward model of all users.
private func fitSingle<Models: RewardModels>(
    _ model: Models,
    _ users: ShardedUsers,
    settings: RewardMixtureSettings,
    from saved: (any SavedState)?,
    atBoundary: StepBoundary,
    report: (MixtureEvent) throws -> Void
) throws -> (training: GroupTraining, scores: UserScores) {
    let training = try maximize(
        model,
        users: users,
        responsibilities: users.everyoneInOneGroup,
        settings: settings,
        stage: "single",
        round: 0,
        from: saved,
        atBoundary: atBoundary,
        progress: {
            try report(.step(stage: "single", step: $0, of: settings.maxSteps, replicas: model.replicas))
        }
    )[0]
    let scores = try score(users, under: model, stage: "single")
    try report(.single(training, testAccuracy: scores.testAccuracy(of: 0, users: Array(users.members.indices))))
    return (training, scores)
}

/// Trains models anew on `fit` and `assign` together; how they then do on `test`, beside EM's log-likelihoods in
/// `scores`.
///
/// From the first weights on: a model that already fits `fit` closely does not get better by more of the same (film
/// reviews: in 5 of 6 fits its validation loss never fell below where it started).
private func finalFit<Models: RewardModels>(
    _ models: Models,
    _ users: ShardedUsers,
    responsibilities: [[Double]],
    scores: UserScores,
    settings: RewardMixtureSettings,
    stage: String,
    from saved: (any SavedState)?,
    atBoundary: StepBoundary,
    report: (MixtureEvent) throws -> Void
) throws -> FinalFit {
    for group in 0..<models.count { models.resetWeights(of: group) }
    let training = try maximize(
        models,
        users: users,
        responsibilities: responsibilities,
        on: .fitAndAssign,
        settings: settings,
        stage: stage,
        round: 1 + settings.restarts * (settings.maxIterations + 1),
        from: saved,
        atBoundary: atBoundary,
        progress: {
            try report(.step(stage: stage, step: $0, of: settings.maxSteps, replicas: models.replicas))
        }
    )
    let final = UserScores(
        members: scores.members,
        logLikelihoods: scores.logLikelihoods,
        testCorrect: try score(users, under: models, stage: stage).testCorrect
    )
    let assignments = responsibilities.map(argmax)
    let accuracy = (0..<models.count).map { group in
        final.testAccuracy(of: group, users: assignments.indices.filter { assignments[$0] == group })
    }
    try report(.final(training, testAccuracy: accuracy))
    return FinalFit(training: training, scores: final)
}

/// The responsibilities of the first M-step.
private func startResponsibilities<Models: RewardModels>(
    _ users: ShardedUsers,
    labels: [String]?,
    groups: Int,
    single: Models,
    singleScores: UserScores,
    settings: RewardMixtureSettings,
    restart: Int
) throws -> [[Double]] {
    let members = users.members
    if let labels {
        return oneHot(members.map { user in labels.firstIndex { $0 == user.group } ?? 0 }, groups: groups)
    }
    switch settings.start {
    case .roundRobin: return oneHot(roundRobinStart(users: members.count, groups: groups), groups: groups)
    case .random:
        return oneHot(
            randomStart(users: members.count, groups: groups, seed: settings.seed, restart: restart),
            groups: groups
        )
    case .residual:
        // The single model is group 0; further groups are seeded one per iteration by `expectationMaximization`.
        let everyoneInGroup0 = oneHot(Array(repeating: 0, count: members.count), groups: groups)
        guard groups > 1 else { return everyoneInGroup0 }
        return try moving(
            seeds(users, logLikelihoods: singleScores.logLikelihoods, models: single),
            to: 1,
            in: everyoneInGroup0
        )
    }
}

/// The group labels of the data, sorted by their UTF-8 bytes.
private func knownLabels(_ members: [UserInfo]) throws -> [String] {
    let labels = try members.map { user in
        guard let label = user.group else {
            throw Failure(
                .badData,
                "user \"\(user.id)\" has no group label, which reward.assignment: known needs; use hard or soft"
            )
        }
        return label
    }
    return Set(labels).sorted(by: precedes)
}
