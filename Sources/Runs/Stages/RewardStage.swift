import Collectives
import Evaluation
import Failures
import Foundation
import LanguageModels
import ModelFiles
import Optimizers
import Preferences
import Reporting
import RewardMixture
import StrictJSON

/// Finds the hidden groups and a reward model for each by EM over users, and the single model beside them.
///
/// Writes `reward/`: `group-0/` …, `single/`, `assignments.csv`, `responsibilities.json`, `mixture.json`; for the judge
/// `held-out` also `held-out-group-0/` … and `held-out-judges.json`.
func runReward(_ run: RunContext) throws {
    let section = run.configuration.reward
    let reference = try run.loadReference(copiesWeights: !section.trainable.hasAdapters)
    let shape = reference.model.configuration
    let trained = try section.trained(of: shape)
    let (everyone, heldOut, judging) = try run.loadUsers(reference)
    var settings = section.mixture
    settings.microBatchTokens = run.configuration.model.microBatchTokens
    settings.seed = run.seed
    let trunk = try run.trunkCache()
    func makeModels(parts: Int, groups: Int) -> LanguageModelRewards {
        let models = LanguageModelRewards(
            copying: reference.model,
            count: section.trainable.isShared ? parts : parts * groups,
            heads: section.trainable.isShared ? groups : 1,
            trainable: trained,
            microBatchTokens: settings.microBatchTokens,
            trunk: trunk,
            by: run.configuration.run.reduction,
            seed: run.seed
        )
        models.models.forEach { $0.checkpointsActivations = run.configuration.run.activationCheckpointing }
        return models
    }
    func report(_ event: MixtureEvent, _ logger: MixtureLogger) throws {
        if case .step(let step, _, let replicas) = event { try run.checkReplicas(replicas, step: step) }
        try logger.report(event)
    }
    run.progress.say(
        "reward: \(everyone.total) users, \(everyone.comparisons) comparisons, "
            + (settings.groups.map { "\($0) groups" } ?? "up to \(settings.maxGroups) groups")
    )
    let checkpoints = try Checkpointer(run, training: "reward", stage: .reward)
    let logger = MixtureLogger(run, fit: .mixture)
    try run.sayMoments("reward", models: section.mostTrained, trained, head: .reward, of: shape)
    let mixture = try fitRewardMixture(
        everyone.local,
        settings: settings,
        over: run.communicator,
        from: checkpoints.saved?.under("mixture"),
        atBoundary: { fit in try checkpoints.atBoundary { try TrainingState().adding(fit(), under: "mixture") } },
        makeModels: makeModels,
        report: { try report($0, logger) }
    )
    let summary = MixtureSummary(mixture)
    summary.lines.forEach(run.progress.say)
    for warning in summary.warnings { run.progress.say("warning: \(warning)") }
    var known: FittedMixture<LanguageModelRewards>?
    if section.knownBaseline, summary.hasLabels {
        var settings = settings
        settings.assignment = .known
        let logger = MixtureLogger(run, fit: .known)
        known = try fitRewardMixture(
            everyone.local,
            settings: settings,
            over: run.communicator,
            reusing: mixture,
            from: checkpoints.saved?.under("known"),
            atBoundary: { fit in
                try checkpoints.atBoundary {
                    try TrainingState().adding(mixture.savedState(), under: "mixture").adding(fit(), under: "known")
                }
            },
            makeModels: makeModels,
            report: { try report($0, logger) }
        )
    }
    var judges: FittedMixture<LanguageModelRewards>?
    if section.judgeFraction > 0 {
        var settings = settings
        settings.assignment = .known
        let logger = MixtureLogger(run, fit: .heldOut)
        judges = try fitRewardMixture(
            try labelledByGroup(judging.local, mixture, over: run.communicator),
            settings: settings,
            over: run.communicator,
            from: checkpoints.saved?.under("judges"),
            atBoundary: { fit in
                try checkpoints.atBoundary {
                    let before = try TrainingState().adding(mixture.savedState(), under: "mixture")
                    let all = try known.map { try before.adding($0.savedState(), under: "known") } ?? before
                    return try all.adding(fit(), under: "judges")
                }
            },
            makeModels: makeModels,
            report: { try report($0, logger) }
        )
    }
    let heldOutJudges = judges.map { HeldOutJudges($0, comparisons: judging.comparisons) }
    for warning in heldOutJudges?.warnings ?? [] { run.progress.say("warning: \(warning)") }
    let heldOutUsers =
        try heldOut.total == 0
        ? nil
        : scoreUsers(heldOut.local, under: mixture.models, over: run.communicator)

    try run.communicator.enter(.save, step: 0)
    let fitted = mixture.models.models + mixture.single.models + (judges?.models.models ?? [])
    try run.requireGood(fitted.map(\.parameters.values), step: settings.maxSteps)
    try run.onRoot {
        try run.directory.makeFolder("reward")
        for group in 0..<mixture.models.count {
            try reference.save(mixture.models.model(group), to: run.directory.file("reward/group-\(group)"))
        }
        for group in 0..<(judges?.models.count ?? 0) {
            guard let model = judges?.models.model(group) else { continue }
            try reference.save(model, to: run.directory.file("reward/held-out-group-\(group)"))
        }
        if let heldOutJudges {
            try writeAtomically(
                heldOutJudges.json.encoded(pretty: true),
                to: run.directory.file("reward/held-out-judges.json")
            )
        }
        try reference.save(mixture.single.models[0], to: run.directory.file("reward/single"))
        try writeAtomically(
            assignmentsCSV(of: mixture.scores, responsibilities: mixture.responsibilities),
            to: run.directory.file("reward/assignments.csv")
        )
        if !mixture.history.isEmpty {
            try writeAtomically(
                responsibilitiesJSON(mixture).encoded(),
                to: run.directory.file("reward/responsibilities.json")
            )
        }
        if let heldOutUsers {
            try writeAtomically(
                assignmentsCSV(of: heldOutUsers, responsibilities: heldOutUsers.posteriors(shares: mixture.shares)),
                to: run.directory.file("reward/held-out-assignments.csv")
            )
        }
        let record = summary.json(known: known.map(MixtureSummary.init), heldOutUsers: heldOutUsers)
        try writeAtomically(
            JSONValue.object(record).encoded(pretty: true),
            to: run.directory.file("reward/mixture.json")
        )
        let cards = (0..<mixture.models.count).map { group in
            let method = "group \(group + 1) of \(mixture.models.count) that EM over users found"
            return run.rewardCard("group-\(group)", method, in: record)
        }
        let single = run.rewardCard("single", "one reward for all users: the baseline", in: record)
        try run.save(cards + [single], madeBy: .reward)
    }
}

/// How users moved between the groups: their ids, and of each iteration of EM (the first is its start) users × groups.
private func responsibilitiesJSON(_ mixture: FittedMixture<LanguageModelRewards>) -> JSONValue {
    [
        "users": .array(mixture.scores.members.map { .string($0.id) }),
        "iterations": .array(
            mixture.history.map { .array($0.map { .array($0.map(JSONValue.number)) }) }
        ),
    ]
}
