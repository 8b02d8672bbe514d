import Collectives
import Failures
import LanguageModels
import MaxMinPolicy
import ModelFiles
import RewardMixture

// Stages that sample and score, and the finished models that they read.

extension StagePlanner {
    /// Responses of the reference that users choose between.
    func addSimulate(to memory: inout StageMemory) {
        let keys = configuration.simulate
        addOpened(model.opened, to: &memory)
        let pairs = comparisons + comparisons / 10 + 16
        addTexts(2 * pairs, tokens: keys.maxNewTokens, to: &memory)
        let prefill = addSampling(
            items: min(mostSampled, responsesOfRank(2 * pairs)),
            samples: 2,
            prompt: promptTokens,
            new: keys.maxNewTokens,
            to: &memory
        )
        addPasses(inference: prefill, to: &memory)
    }

    /// Rewards of the reference's responses.
    func addCalibrate(to memory: inout StageMemory) throws(Failure) {
        let keys = configuration.calibrate
        addOpened(model.opened, to: &memory)
        try addRewardModels(to: &memory)
        let (prompt, new) = (promptTokens, configuration.policy.training.maxNewTokens)
        let prompts = (keys.prompts + shards.count - 1) / shards.count
        let items = prompts * keys.samplesPerPrompt
        let prefill = addSampling(
            items: responsesOfRank(keys.prompts, perItem: keys.samplesPerPrompt),
            samples: keys.samplesPerPrompt,
            prompt: prompt,
            new: new,
            to: &memory
        )
        let all = responseTokens(items, to: prompts, prompt: prompt, new: new)
        let rewarded = scoring(total: all, longest: prompt + new)
        addPasses(inference: max(prefill, rewarded), to: &memory)
        try addRewardPass(tokens: rewarded, to: &memory)
    }

    /// One policy after the other beside the reference, then the reward models.
    func addEvaluate(to memory: inout StageMemory) throws(Failure) {
        let keys = configuration.evaluate
        addOpened(model.opened, to: &memory)
        var (answered, judged) = (memory, memory)
        let loadsRewards = keys.judges.contains(.reward) || !keys.bestOf.isEmpty
        let scoresRewards = loadsRewards || keys.judges.contains(.heldOut)
        if loadsRewards { try addRewardModels(to: &judged) }
        if keys.judges.contains(.heldOut) { try addRewardModels(to: &judged) }
        let (prompt, new) = (promptTokens, configuration.policy.training.maxNewTokens)
        if let most = keys.bestOf.max() {
            addTexts(keys.prompts * keys.samplesPerPrompt * most, tokens: new, to: &judged)
        }
        let trained = try configuration.policy.trained(of: shape)
        if trained == .full {
            addOpened(model.openedOwn(head: .none), to: &answered)
        } else {
            answered[.adapters] += model.own(trained.parameterCount(shape, head: .none))
        }
        let items = min(mostSampled, responsesOfRank(keys.prompts, perItem: keys.samplesPerPrompt))
        func sample(_ models: [SamplingModel], to memory: inout StageMemory) -> Int {
            addSampling(
                items: items,
                samples: keys.samplesPerPrompt,
                prompt: prompt,
                new: new,
                models: models,
                to: &memory
            )
        }
        // The policy is gone when judges come; what the reference samples with stays.
        let prefill = max(sample([.reference, .policy], to: &answered), sample([.reference], to: &judged))
        let scored = scoring(total: items * (prompt + new), longest: prompt + new)
        if scoresRewards { try addRewardPass(tokens: scored, to: &judged) }
        memory = answered.bytesPerRank > judged.bytesPerRank ? answered : judged
        addPasses(inference: max(prefill, scored), read: scored, to: &memory)
        memory[.logits] = max(
            memory[.logits],
            activations.logits(rows: scored, recorded: false) + activations.compared(rows: scored)
        )
    }

    /// Sequences that `sampleOverShards` samples at a time.
    private var mostSampled: Int { 256 }

    /// A model opened in place.
    func addOpened(_ bytes: FrozenBytes, to memory: inout StageMemory) {
        memory[.mapped] += bytes.mapped
        memory[.weights] += bytes.copied
    }

    /// The K groups' reward models and the single one, finished.
    func addRewardModels(to memory: inout StageMemory) throws(Failure) {
        let count = configuration.reward.mixture.mostGroups + 1
        let trained = try configuration.reward.trained(of: shape)
        if case .adapters = trained {
            memory[.adapters] += count * model.own(trained.parameterCount(shape, head: .reward))
        } else {
            for _ in 0..<count { addOpened(model.openedOwn(head: .reward), to: &memory) }
        }
    }

    /// Scoring so many tokens at once by all finished reward models.
    func addRewardPass(tokens: Int, to memory: inout StageMemory) throws(Failure) {
        guard case .adapters(let adapters) = try configuration.reward.trained(of: shape) else { return }
        guard adapters.adaptedBlocks(of: shape).lowerBound > 0 else { return }
        addSharedTrunk(tokens: tokens, models: configuration.reward.mixture.mostGroups + 1, to: &memory)
    }

    /// What `models` over one trunk share of a pass: the trunk's states, and the start of the next block.
    func addSharedTrunk(tokens: Int, models: Int, to memory: inout StageMemory) {
        memory[.activations] += tokens * activations.trunkState
        if models > 1 { memory[.activations] += tokens * activations.sharedQKV }
    }
}
