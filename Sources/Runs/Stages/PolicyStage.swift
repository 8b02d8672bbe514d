import Collectives
import Failures
import LanguageModels
import MaxMinPolicy
import ModelFiles
import Optimizers
import Preferences
import Reporting
import StrictJSON
import Tensors
import Text

/// Aligns one policy per objective, each from the reference.
///
/// Writes `policy/OBJECTIVE/`, Hugging Face directories, or PEFT's where adapters are trained.
func runPolicy(_ run: RunContext) throws {
    let section = run.configuration.policy
    let reference = try run.loadReference()
    let trained = try section.trained(of: reference.model.configuration)
    let prompts = try run.loadPrompts(reference).training
    let learned = try section.objectives.allSatisfy(\.isGold) ? nil : run.learnedRewards(over: reference)
    let ofLearned = section.objectives.filter { !$0.isGold }
    if let learned, let problem = problem(ofObjectives: ofLearned, groups: learned.forGroups.groups.count) {
        throw Failure(.configuration, problem, at: "policy.objectives")
    }
    let gold = try section.objectives.contains(where: \.isGold) ? run.goldRewards(over: reference, prompts) : nil
    for objective in section.objectives {
        let ofUsers = objective.weighting == .single ? learned?.forSingle : learned?.forGroups
        guard let rewards = objective.isGold ? gold : ofUsers else { continue }
        // Each is trained by itself: one that a run finished before it was stopped stays.
        let training = "policy/\(objective.rawValue)"
        if run.resumes, try run.shared({ run.directory.isFinished(training) }) {
            run.progress.say("policy \(objective.rawValue): done before")
            continue
        }
        var settings = section.settings(for: objective)
        settings.microBatchTokens = run.configuration.model.microBatchTokens
        let task = PolicyTask(
            prompts: prompts.map(\.tokens),
            endOfText: reference.encoding.endOfTurn,
            groupSizes: rewards.groupSizes,
            calibration: objective.isUncalibrated
                ? .none(rewardModels: rewards.names.count) : rewards.calibration,
            ownUtilities: objective.weighting == .regret
                ? try run.shared {
                    try reachedAlone(groups: rewards.groups.count, isGold: objective.isGold, in: run.directory)
                } : [],
            rewards: rewards.rewards,
            seed: run.seed,
            shards: try run.shards().all
        )
        try align(
            objective,
            trained,
            settings: settings,
            task: task,
            reference: reference,
            models: rewards.names,
            run: run
        )
    }
}

/// F*_u of each group: its utility under the policy for it alone, as that was saved.
private func reachedAlone(groups: Int, isGold: Bool, in directory: RunDirectory) throws -> [Double] {
    try (0..<groups).map { group in
        let policy = "policy/" + (isGold ? "gold-" : "") + PolicyObjective.only(group).rawValue
        let trained = try TrainedPolicy(directory: directory.file(policy))
        guard let trained, trained.utilities.indices.contains(group) else {
            throw Failure(
                .missingInput,
                "names no utility of its group, with which policy.objectives regret compares; train the policy anew",
                at: directory.file("\(policy)/training.json")
            )
        }
        return trained.utilities[group]
    }
}

/// Trains and saves the policy of one objective.
private func align(
    _ objective: PolicyObjective,
    _ trained: TrainableParameters,
    settings: PolicySettings,
    task: PolicyTask,
    reference: Reference,
    models: [String],
    run: RunContext
) throws {
    let policy = LanguageModelPolicy(
        try reference.policy(head: settings.head(groups: task.groupSizes.count), trained: trained, seed: run.seed),
        settings: settings.optimizer,
        seed: run.seed,
        by: run.configuration.run.reduction,
        over: run.communicator
    )
    run.prepareSampling(from: policy.model)
    policy.model.checkpointsActivations = run.configuration.run.activationCheckpointing
    let name = objective.rawValue
    let checkpoints = try Checkpointer(run, training: "policy/\(name)", stage: .policy)
    let start = try checkpoints.saved.flatMap { saved in
        try saved.fill(policy.stateVectors)
        return try saved.record("policy", as: PolicyState.Record.self) {
            $0.isValid(steps: settings.steps, groups: task.groupSizes.count, models: models.count)
        }
    }
    if let start { try policy.resume(updates: start.updates, over: run.communicator) }
    let model = policy.model
    try run.sayMoments("policy \(name)", models: 1, trained, head: model.head, of: model.configuration)
    run.progress.begin("policy \(name)", total: settings.steps, done: checkpoints.step)
    var changes = 0
    /// Of the last step, for people.
    var figures: [String] = []
    let state = try trainPolicy(
        policy,
        reference: reference.model,
        task: task,
        settings: settings,
        from: start.map { PolicyState($0, settings: settings, groupSizes: task.groupSizes) },
        communicator: run.communicator
    ) { record, state in
        try run.checkReplicas(policy.replicas, step: record.step)
        try run.metrics.write(
            stage: Stage.policy.rawValue,
            step: record.step,
            seconds: record.phases.reduce(0) { $0 + $1.seconds },
            record.figures(objective: name, models: models),
            illustrations: record.illustrations(models: models)
        )
        if record.worstGroupChanged { changes += 1 }
        let utilities = record.utilities.prefix(task.groupSizes.count).map { $0.formatted(decimals: 2) }
        figures = ["worst F \(utilities[record.worstGroup])", "KL \(shownNats(record.kl))"]
        run.progress.advance(
            notes: figures + [
                "\(models[record.worstGroup]) of F \(utilities.joined(separator: " "))",
                "\(record.responseTokens.formatted(decimals: 0)) tokens",
            ]
        )
        try checkpoints.atBoundary(isGood: state.isGood) {
            try TrainingState(
                state.record(updates: policy.updates),
                as: "policy",
                policy.stateVectors,
                replicas: policy.replicas
            )
        }
    }
    let times = changes == 1 ? "once" : "\(changes) times"
    run.progress.end((figures + ["the worst-off group changed \(times)"]).joined(separator: ", "))
    try policy.finish(over: run.communicator)
    let matched =
        state.hasReached(settings.maxKL)
        ? try match(model, trained, settings: settings, task: task, reference: reference, run: run) : nil
    var utilities: [Double] = []
    // What `regret` compares with is where a policy ends, not what it met on its way.
    if case .only = settings.objective, run.configuration.policy.objectives.contains(.regret) {
        utilities = try freshUtilities(
            of: model,
            reference: reference.model,
            task: task,
            settings: settings,
            state: state,
            communicator: run.communicator
        )
    }
    let result = TrainedPolicy(state, settings: settings, matched: matched, utilities: utilities)
    if let line = result.line(of: name) { run.progress.say(line) }
    try run.communicator.enter(.save, step: 0)
    try run.requireGood([model.parameters.values], step: state.step)
    try run.requireFiniteLogits(of: model, after: Array(task.prompts.prefix(8)), step: state.step)
    try run.onRoot {
        let directory = run.directory.file("policy/\(name)")
        try run.directory.makeFolder("policy")
        try reference.save(model, to: directory)
        let record = result.json(groups: models.prefix(task.groupSizes.count))
        try writeAtomically(record.encoded(pretty: true), to: "\(directory)/training.json")
        try run.save([run.policyCard(name)], madeBy: .policy)
    }
    try checkpoints.finish()
}

/// Brings a policy whose training has ended to its `max_kl`.
private func match(
    _ model: LanguageModel,
    _ trained: TrainableParameters,
    settings: PolicySettings,
    task: PolicyTask,
    reference: Reference,
    run: RunContext
) throws -> MatchedDivergence? {
    guard let target = settings.maxKL else { return nil }
    // Read only where the weights are to be moved.
    lazy var start = Result { try reference.policy(head: .none, trained: trained, seed: run.seed) }
    return try matchDivergence(
        of: model,
        to: target,
        reference: reference.model,
        task: task,
        settings: settings,
        communicator: run.communicator
    ) { model.rescale(from: try start.get(), by: $0) }
}
