package import Collectives
import Failures
package import Optimizers
import Preferences

/// Fits the single reward model and a mixture of K reward models by expectation–maximization over users (MaxMin-RLHF,
/// arXiv 2402.08925, Algorithm 2).
///
/// Every rank calls it with the users of its own shards, each with `settings.folds` folds; results are the same on
/// every rank, and do not depend on how shards lie on ranks. `makeModels(p, k)` makes equal models of k groups for each
/// of p parts, with the weights that training starts from. `reusing` takes the single model of an earlier fit to the
/// same users, for `known` assignment.
/// `saved` is a state to go on from, as `atBoundary` was given it in an earlier process: the result has the same bits
/// as without the break. Throws `configuration` or `badData` for settings or users that cannot work, and
/// `internalError` on all ranks, naming fit and step, where a loss, gradient or reward is not finite on any.
///
/// Once EM has ended, the models that are kept are trained anew, on all comparisons but `test` (and, with one fold,
/// `validation`): no E-step will ask them. Groups without users are left out, and the others are numbered by size.
/// Where K is not given, each from 2 to `maxGroups` is tried beside the single model, and the smallest K is taken that
/// explains unseen comparisons as well as any (`smallestGoodFit`).
package func fitRewardMixture<Models: RewardModels>(
    _ localUsers: [ShardedUser],
    settings: RewardMixtureSettings,
    over communicator: any Communicator,
    reusing earlier: FittedMixture<Models>? = nil,
    from saved: (any SavedState)? = nil,
    atBoundary: StepBoundary = { _ in },
    makeModels: (_ parts: Int, _ groups: Int) throws -> Models,
    report: (MixtureEvent) throws -> Void
) throws -> FittedMixture<Models> {
    let users = try ShardedUsers(localUsers, over: communicator)
    precondition(users.members.allSatisfy { $0.folds.count == settings.folds }, "a split has \(settings.folds) folds")
    let labels =
        settings.assignment == .known || settings.start == .labels ? try knownLabels(users.members, settings) : nil
    let isKnown = settings.assignment == .known
    precondition(earlier == nil || isKnown, "the single model of an earlier fit has seen `assign`")
    let candidates = try candidates(users.members, labels: labels, settings)

    let found = try saved?.record("fit", as: MixtureState.self) {
        $0.isValid(members: users.members, groups: candidates)
    }
    var state = found ?? MixtureState()
    // Where all is done, in a state that `savedState` gave, nothing asks the models of folds.
    let isDone = state.finalSingle != nil && state.fits.count == candidates.count
    // The single model of each part; with one fold the last training is another.
    let isSingleFinal = settings.folds > 1 || settings.paper
    let singleParts = isSingleFinal ? settings.finalParts : settings.emParts
    let single = try earlier == nil && !isDone ? makeModels(singleParts.count, 1) : nil
    var finalSingle = earlier?.single
    if let saved, isDone, earlier == nil {
        finalSingle = try makeModels(1, 1)
        try finalSingle?.fillWeights("final-single", from: saved)
    } else if let earlier {
        state.single = FinalFit(training: [earlier.singleTraining], scores: earlier.singleScores)
        state.finalSingle = state.single
    } else if let saved, let single, state.single != nil {
        try single.fillWeights("single", from: saved)
    }
    var kept: [Models] = []
    for (index, fit) in state.fits.enumerated() {
        kept.append(try makeModels(1, fit.left))
        if let saved { try kept[index].fillWeights("groups-\(index)", from: saved) }
    }
    /// The state of all this, with that of the training under way under a name.
    func boundary(_ name: String, _ inner: @escaping () throws -> TrainingState) throws {
        try atBoundary {
            // A model of an earlier fit is in its state already.
            let singles = state.single == nil ? [] : single?.weightVectors("single") ?? []
            let groups = kept.enumerated().flatMap { $1.weightVectors("groups-\($0)") }
            return try TrainingState(state, as: "fit", singles + groups).adding(inner(), under: name)
        }
    }

    if !isDone {
        try report(.planned(plan(candidates, settings, hasSingle: earlier == nil, isSingleFinal: isSingleFinal)))
    }
    let everyone = users.members.map { _ in 0 }
    if let single, state.single == nil {
        state.single = try fit(
            single,
            to: users,
            on: singleParts,
            responsibilities: users.everyoneInOneGroup,
            settings: settings,
            named: MixtureFit(kind: .single, groups: 1),
            round: 0,
            from: saved?.under("single"),
            atBoundary: { try boundary("single", $0) },
            report: report
        )
        if isSingleFinal { state.finalSingle = state.single }
        if let fitted = state.single {
            try report(.single(fitted.training[0], testAccuracy: fitted.scores.testAccuracies(everyone, groups: 1)[0]))
        }
    }
    guard let singleFit = state.single else { preconditionFailure("the single model is fitted") }

    // What the single model leaves unexplained seeds every start of every K.
    lazy var singleSeeds = Result {
        try single.map {
            try seeds(users, logLikelihoods: singleFit.scores.logLikelihoods, models: $0, folds: settings.folds)
        } ?? []
    }
    for groups in candidates.dropFirst(state.fits.count) {
        // The models of EM, which the paper keeps.
        var ofEM: Models?
        let isGiven = isKnown && settings.folds > 1
        if isGiven, let labels { state.best = StartOutcome(known: labels, of: users.members) }
        let starts = isGiven ? 0 : isKnown ? 1 : settings.restarts
        for restart in stride(from: state.starts.count, to: starts, by: 1) {
            let models = try makeModels(settings.folds, groups)
            if settings.paper { ofEM = models }
            if !isKnown, settings.start == .residual, let single {
                for fold in 0..<settings.folds { models.copyWeights(to: fold * groups, from: single, model: fold) }
            }
            let outcome = try expectationMaximization(
                models,
                users: users,
                start: {
                    let start = try startGroups(
                        of: users.members,
                        groups: groups,
                        labels: labels,
                        seeds: { try singleSeeds.get() },
                        settings: settings,
                        restart: restart
                    )
                    return oneHot(start, groups: groups)
                },
                settings: settings,
                restart: restart,
                from: saved?.under("start-\(groups)-\(restart)"),
                atBoundary: { try boundary("start-\(groups)-\(restart)", $0) },
                report: report
            )
            state.starts.append(ReachedStart(outcome))
            if outcome.logLikelihood > state.best?.logLikelihood ?? -.infinity { state.best = outcome }
        }
        guard let best = state.best else {
            throw Failure(.internalError, "no start of the reward mixture has a finite likelihood")
        }
        let groupsLeft = isKnown ? Array(0..<groups) : best.groupsLeft
        let outcome = best.keeping(groupsLeft)
        let left = groupsLeft.count
        let models = try makeModels(settings.finalParts.count, left)
        let final: FinalFit
        let last = MixtureFit(kind: .final, groups: groups)
        if let ofEM {
            for (model, group) in groupsLeft.enumerated() { models.copyWeights(to: model, from: ofEM, model: group) }
            let training = outcome.iterations.last?.training ?? []
            final = FinalFit(
                training: groupsLeft.map { training[$0] },
                scores: try score(users, under: models, folds: 1, groups: left, test: 0..<left, named: last.name)
            )
        } else {
            final = try fit(
                models,
                to: users,
                on: settings.finalParts,
                responsibilities: outcome.responsibilities,
                scores: settings.folds == 1 ? outcome.scores : nil,
                settings: settings,
                named: last,
                round: 1 + settings.restarts * (settings.maxIterations + 1),
                from: saved?.under("final-\(groups)"),
                atBoundary: { try boundary("final-\(groups)", $0) },
                report: report
            )
        }
        let assignments = outcome.responsibilities.map(argmax)
        try report(.final(final.training, testAccuracy: final.scores.testAccuracies(assignments, groups: left)))
        let contrasts = try contrasts(
            of: users,
            under: models,
            models.count - left..<models.count,
            responsibilities: outcome.responsibilities
        )
        kept.append(try models.lastModels(left, makeModels))
        state.fits.append(
            GroupsFit(
                groups: groups,
                outcome: outcome,
                final: final,
                contrasts: contrasts,
                starts: state.starts
            )
        )
        (state.best, state.starts) = (nil, [])
    }

    if state.finalSingle == nil {
        let models = try makeModels(settings.finalParts.count, 1)
        let final = try fit(
            models,
            to: users,
            on: settings.finalParts,
            responsibilities: users.everyoneInOneGroup,
            scores: singleFit.scores,
            settings: settings,
            named: MixtureFit(kind: .finalSingle, groups: 1),
            round: 1 + settings.restarts * (settings.maxIterations + 1),
            from: saved?.under("final-single"),
            atBoundary: { try boundary("final-single", $0) },
            report: report
        )
        try report(.final(final.training, testAccuracy: final.scores.testAccuracies(everyone, groups: 1)))
        state.finalSingle = final
        finalSingle = models
    }
    let lastSingle = try finalSingle ?? single?.lastModels(1, makeModels)
    guard let lastSingle, let finalSingleFit = state.finalSingle else {
        preconditionFailure("the single model is fitted")
    }
    return FittedMixture(
        fits: state.fits,
        models: kept,
        single: lastSingle,
        singleFit: singleFit,
        finalSingleFit: finalSingleFit,
        labels: isKnown ? labels : nil,
        choosesGroups: !isKnown && settings.groups == nil,
        hasUnseen: !settings.paper
    )
}

/// The numbers of groups to fit beside the single model, which is all where one is asked for; throws where users or
/// settings rule them out.
private func candidates(
    _ members: [UserInfo],
    labels: [String]?,
    _ settings: RewardMixtureSettings
) throws(Failure) -> [Int] {
    guard settings.emParts.allSatisfy({ part in members.contains { $0[part].fit > 0 } }) else {
        throw Failure(.badData, "no comparisons to fit a reward model to")
    }
    if let problem = settings.annealingProblem {
        throw Failure(.configuration, problem, at: "reward.max_iterations")
    }
    // With one split, and in the paper's way, the single model's last training is another.
    let one = settings.folds > 1 ? [] : [1]
    if settings.assignment != .known, settings.groups == nil {
        guard members.contains(where: { $0.testWeight > 0 }) else {
            throw Failure(
                .configuration,
                "is auto, which `test` comparisons decide, and there are none: raise reward.test_fraction, or give a "
                    + "number",
                at: "reward.groups"
            )
        }
        return members.count == 1 ? one : Array(2...max(2, min(settings.maxGroups, members.count)))
    }
    let groups = settings.assignment == .known ? labels?.count ?? 1 : settings.groups ?? 1
    guard groups <= members.count else {
        throw Failure(
            .configuration,
            "\(groups) groups of \(members.count) users; ask for fewer",
            at: "reward.groups"
        )
    }
    if let labels, labels.count > groups {
        throw Failure(
            .configuration,
            "\(groups) groups cannot start from \(labels.count) labels; ask for as many, or for another reward.start",
            at: "reward.groups"
        )
    }
    return groups == 1 ? one : [groups]
}

/// Trains models on parts, K for each, and scores users: on the folds under the models that have not seen them, on
/// `test` under those of the last part.
///
/// `scores`: what is known of the folds already, where the models have seen them.
private func fit(
    _ models: some RewardModels,
    to users: ShardedUsers,
    on parts: [ComparisonSplit.Key],
    responsibilities: [[Double]],
    scores known: UserScores? = nil,
    settings: RewardMixtureSettings,
    named name: MixtureFit,
    round: Int,
    from saved: (any SavedState)?,
    atBoundary: StepBoundary,
    report: (MixtureEvent) throws -> Void
) throws -> FinalFit {
    let training = try maximize(
        models,
        users: users,
        responsibilities: responsibilities,
        on: parts,
        settings: settings,
        named: name,
        round: round,
        from: saved,
        atBoundary: atBoundary,
        report: report
    )
    let groups = models.count / parts.count
    let scores = try score(
        users,
        under: models,
        folds: settings.folds,
        groups: groups,
        test: models.count - groups..<models.count,
        named: name.name,
        looked: { try report(.passed(.scoring, done: $0, of: $1)) }
    )
    return FinalFit(
        training: training,
        scores: UserScores(
            members: users.members,
            foldLogLikelihoods: known?.foldLogLikelihoods ?? scores.foldLogLikelihoods,
            assignCorrect: known?.assignCorrect ?? scores.assignCorrect,
            testCorrect: scores.testCorrect,
            testLogLikelihoods: scores.testLogLikelihoods
        )
    )
}

extension RewardModels {
    /// The last models, those of all comparisons, as models of their own, so that the others' memory is free.
    fileprivate func lastModels(_ count: Int, _ make: (_ parts: Int, _ groups: Int) throws -> Self) throws -> Self {
        guard count < self.count else { return self }
        let last = try make(1, count)
        for model in 0..<count { last.copyWeights(to: model, from: self, model: self.count - count + model) }
        return last
    }
}
