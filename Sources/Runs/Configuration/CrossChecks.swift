import MaxMinPolicy
import Preferences
import RewardMixture
import StrictYAML

/// What is wrong with a configuration whose keys are each right: keys that contradict one another.
func crossChecks(_ configuration: Configuration) -> [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    func require(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition { problems.append(.init(location: nil, message: message())) }
    }
    let (run, model, data) = (configuration.run, configuration.model, configuration.data)
    let (sft, simulate, reward) = (configuration.sft, configuration.simulate, configuration.reward)
    let (policy, evaluate) = (configuration.policy.training, configuration.evaluate)
    func does(_ stage: Stage) -> Bool { run.stages.contains(stage) }

    require(!run.stages.isEmpty, "run.stages: names no stage")
    if let path = model.path {
        require(
            !does(.sft) || data.text != nil,
            "data.text: sft trains model.path on it, and it names no file; or leave sft out of run.stages"
        )
        require(
            !isInside(run.directory, path),
            "run.directory: \(run.directory) is model.path or inside it; a run must not write into its model"
        )
    }
    require(
        data.preset == nil || data.fields == nil,
        "data.fields: data.preset says where the fields are; leave one of the two out"
    )
    require(
        data.mapping == nil || data.preferences != nil,
        "data.\(data.preset == nil ? "fields" : "preset"): tells of the rows of data.preferences, which names no file"
    )
    if does(.simulate) {
        require(
            data.preferences == nil,
            "run.stages: simulate makes preferences, but data.preferences names some; leave one of the two out"
        )
        require(!simulate.groups.isEmpty, "simulate.groups: names no group")
        require(
            simulate.groups.contains { $0.users > 0 },
            "simulate.groups: there are no users; give a group users"
        )
        require(
            simulate.promptTokens + simulate.maxNewTokens <= data.maxLength,
            "data.max_length: \(data.maxLength) is less than simulate.prompt_tokens + simulate.max_new_tokens"
        )
    }
    // Of numbers that are each in range: more than these fit no machine, and their products might not fit 64 bits.
    let comparisons = simulate.groups.reduce(0.0) { $0 + Double($1.users) } * Double(simulate.comparisonsPerUser)
    require(
        comparisons <= 1e9,
        "simulate.comparisons_per_user: \(simulate.comparisonsPerUser) of each user are more than 1000000000 in all"
    )
    require(
        sft.batchSequences * sft.positions <= 1 << 26,
        "sft.batch_sequences: \(sft.batchSequences) sequences of sft.positions \(sft.positions) tokens are more than "
            + "\(1 << 26) tokens a step"
    )
    for (section, key, prompts, samples) in [
        ("calibrate", "prompts", configuration.calibrate.prompts, configuration.calibrate.samplesPerPrompt),
        ("policy", "prompts_per_step", policy.promptsPerStep, policy.samplesPerPrompt),
        ("evaluate", "prompts", evaluate.prompts, evaluate.samplesPerPrompt),
    ] {
        require(
            prompts * samples <= 1 << 20 && prompts * samples * data.maxLength <= 1 << 30,
            "\(section).\(key): \(prompts) with \(section).samples_per_prompt \(samples) are more than \(1 << 20) "
                + "responses, "
                + "or with data.max_length more than \(1 << 30) tokens"
        )
    }

    let bestOf = evaluate.prompts * evaluate.samplesPerPrompt * (evaluate.bestOf.max() ?? 1)
    require(
        bestOf <= 1 << 20 && bestOf * data.maxLength <= 1 << 30,
        "evaluate.best_of: \(evaluate.bestOf.max() ?? 1) for each of evaluate.prompts \(evaluate.prompts) with "
            + "evaluate.samples_per_prompt \(evaluate.samplesPerPrompt) are more than \(1 << 20) responses, or with "
            + "data.max_length more than \(1 << 30) tokens"
    )
    require(
        evaluate.bestOf.isEmpty || evaluate.temperature > 0,
        "evaluate.best_of: at evaluate.temperature 0 the responses to a prompt are all the same"
    )

    let names = simulate.groups.map(\.name)
    require(Set(names).count == names.count, "simulate.groups: two groups have the same name")
    for problem in tasteProblems(of: simulate.groups) { require(false, problem) }

    require(
        !does(.sft) || sft.trainable == .full || model.path != nil,
        "sft.trainable: lora adapts a model, and model.path names none"
    )
    require(sft.width % sft.heads == 0, "sft.heads: \(sft.heads) does not divide sft.width \(sft.width)")
    if does(.sft), model.path == nil {
        require(
            data.maxLength <= sft.positions,
            "sft.positions: \(sft.positions) is less than data.max_length \(data.maxLength)"
        )
    }
    require(
        reward.mixture.folds > 1 || reward.mixture.paper
            || reward.split.assign + reward.split.test + reward.split.validation < 1,
        "reward: assign_fraction, test_fraction and validation_fraction leave no comparisons to fit to"
    )
    require(
        reward.mixture.groups != nil || reward.mixture.assignment == .known || reward.split.test > 0,
        "reward.groups: auto is decided by `test` comparisons; set reward.test_fraction above 0, or give a number"
    )
    require(
        reward.mixture.start != .labels || reward.mixture.groups != nil || reward.mixture.assignment == .known,
        "reward.start: labels gives as many groups as there are labels; name that number as reward.groups"
    )
    let annealing = reward.mixture.annealingProblem
    require(annealing == nil, "reward.max_iterations: \(annealing ?? "")")
    require(
        reward.mixture.assignment != .known || reward.mixture.restarts == 1,
        "reward.restarts: with known assignment there are no starts"
    )

    require(
        !does(.policy) || !configuration.policy.objectives.isEmpty,
        "policy.objectives: names no objective; leave policy out of run.stages instead"
    )
    let gold = configuration.policy.objectives.filter(\.isGold)
    if let groups = reward.mixture.groups, reward.mixture.assignment != .known, does(.policy) {
        let problem = problem(ofObjectives: configuration.policy.objectives.filter { !$0.isGold }, groups: groups)
        require(problem == nil, "policy.objectives: \(problem ?? "")")
    }
    if let first = gold.first, does(.policy) {
        require(
            data.preferences == nil,
            "policy.objectives: \(first.rawValue) trains on true tastes, which the users of data.preferences do not "
                + "tell; it is for simulated users"
        )
        let problem = problem(ofObjectives: gold, groups: simulate.groups.count { $0.users > 0 })
        require(problem == nil, "policy.objectives: \(problem ?? "")")
    }
    require(
        policy.algorithm == .ppo || policy.samplesPerPrompt >= 2,
        "policy.samples_per_prompt: \(policy.algorithm.rawValue) compares the samples of a prompt, so it needs "
            + "at least 2"
    )
    require(
        !does(.policy) || policy.algorithm == .ppo || policy.valueHeads == .single,
        "policy.value_heads: \(policy.algorithm.rawValue) has no value heads; set policy.algorithm: ppo"
    )
    require(
        policy.minibatches <= policy.promptsPerStep * policy.samplesPerPrompt,
        "policy.minibatches: \(policy.minibatches) is more than the samples of a step"
    )
    require(
        policy.maxNewTokens < data.maxLength,
        "policy.max_new_tokens: \(policy.maxNewTokens) leaves no room for a prompt in data.max_length"
    )
    require(
        !does(.evaluate) || !evaluate.judges.isEmpty,
        "evaluate.judges: names no judge; leave evaluate out of run.stages instead"
    )
    require(
        !does(.evaluate) || !evaluate.judges.contains(.heldOut) || reward.judgeFraction > 0,
        "evaluate.judges: held-out needs comparisons that no other reward model sees; set reward.judge_fraction, as 0.5"
    )
    if does(.evaluate), evaluate.judges.contains(.llm) {
        for problem in evaluate.llm.problems(at: "evaluate.llm") { require(false, problem) }
    }
    require(
        evaluate.prompts <= data.heldOutPrompts,
        "evaluate.prompts: \(evaluate.prompts) is more than data.held_out_prompts \(data.heldOutPrompts)"
    )
    return problems
}
