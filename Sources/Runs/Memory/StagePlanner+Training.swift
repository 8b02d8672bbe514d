import Collectives
import Failures
import LanguageModels
import MaxMinPolicy
import ModelFiles
import Optimizers
import RewardMixture
import Tensors

// Stages that train.

extension StagePlanner {
    /// One model, in passes over a shard's sequences.
    func addSFT(to memory: inout StageMemory) {
        let (keys, data) = (configuration.sft, configuration.data)
        let isNew = configuration.model.path == nil
        let longest = isNew ? keys.positions : min(data.maxLength, shape.contextLength)
        let trained: TrainableParameters = isNew || keys.trainable == .full ? .full : .adapters(keys.lora)
        let parameters = trained.parameterCount(shape, head: .none)
        let ofShard = (keys.batchSequences + shards.count - 1) / shards.count * longest
        let tokens = min(ofShard, max(configuration.model.microBatchTokens, longest))
        if trained == .full {
            memory[.weights] += model.own(parameters)
        } else {
            let base = FrozenBytes(shape, head: .none, stored: model.base, precision: model.precision)
            addOpened(base, to: &memory)
            memory[.adapters] += model.own(parameters)
            // They are merged into one tensor of the base after the other, in fp32.
            memory[.weights] += 4 * (Parameters.layout(shape, head: .none).map(\.range.count).max() ?? 0)
        }
        // Those of the embedded corpus; a file's are counted already.
        if data.text == nil { addTexts(documents, tokens: min(longest, 128), to: &memory) }
        addTraining(of: parameters, models: 1, whole: trained == .full ? Head.none : nil, to: &memory)
        if keys.evaluateEvery != nil { memory[.bestWeights] += 4 * slices(of: parameters).largest }
        // Each shard's held-out documents are scored.
        let heldOut = (min(256, documents / 10) + shards.count - 1) / shards.count * longest
        addPasses(
            inference: scoring(total: heldOut, longest: longest),
            recorded: tokens,
            read: tokens,
            trained: trained,
            to: &memory
        )
        memory[.logits] += activations.logits(rows: tokens, recorded: true)
    }

    /// The single model of F folds and of all comparisons, and those of K groups while they are trained for the last
    /// time; with one fold one of each.
    ///
    /// Each set holds weights and the first weights; the one in training gradients and its slice of the best weights
    /// too.
    func addReward(to memory: inout StageMemory) throws(Failure) {
        let keys = configuration.reward
        let trained = try keys.trained(of: shape)
        let parameters = trained.parameterCount(shape, head: .reward)
        let most = keys.mixture.mostGroups
        let perGroup = keys.mixture.folds == 1 ? 1 : keys.mixture.folds + 1
        // Heads on one backbone take no memory to speak of.
        let each = keys.trainable.isShared ? 1 : most
        let groups = each * perGroup
        // Beside the groups' models: the single ones, those of fewer groups, and those of known groups.
        let ofFewer = keys.trainable.isShared ? most - 2 : most * (most - 1) / 2 - 1
        let fewer = keys.mixture.groups == nil ? max(0, ofFewer) : 0
        // The paper's models are there twice: as EM has them, and as they are kept.
        let twice = keys.knownBaseline || keys.mixture.paper ? each : 0
        // Beside the judges in training: their single models, and all finished ones.
        let judges = keys.judgeFraction > 0 ? perGroup + each : 0
        // A head with its backbone is copied to be written by itself.
        let others = perGroup + fewer + twice + judges + (keys.trainable.isShared ? 1 : 0)
        addBase(isTrained: !keys.trainable.hasAdapters, to: &memory)
        // Simulated responses; those of a file are counted already.
        if configuration.data.preferences == nil {
            addTexts(2 * comparisons, tokens: configuration.simulate.maxNewTokens, to: &memory)
        }
        let held = trained == .head ? 4 * parameters : model.own(parameters)
        memory[keys.trainable.isWhole ? .weights : .adapters] += (others + groups) * held
        addTraining(of: parameters, models: groups, whole: trained == .full ? .reward : nil, to: &memory)
        let ofOthers = (keys.knownBaseline ? 1 : 0) + (keys.judgeFraction > 0 ? 2 : 0)
        let sets = 2 + (keys.mixture.groups == nil ? most - 2 : 0) + ofOthers
        memory[.bestWeights] += 4 * parameters * sets
        memory[.bestWeights] += 4 * slices(of: parameters).largest * groups

        // What the heads read of a shard's responses, where users seed a group.
        if keys.mixture.start == .residual { memory[.activations] += 2 * comparisons / shards.count * 4 * shape.width }
        let pair = pairTokens
        let limit = configuration.model.microBatchTokens
        let total = comparisons * pair
        let perShard = (keys.mixture.batchComparisons + shards.count - 1) / shards.count
        // Whose comparisons share passes: adapters of one model, or heads of one backbone.
        let together = keys.trainable.hasAdapters ? most * perGroup : keys.trainable.isShared ? most : 1
        let step = together * perShard * pair
        let recorded = min(step, max(limit, pair))
        let read = min(recorded, 2 * ((recorded + pair - 1) / pair))
        switch trained {
        case .head:
            // A comparison at a time.
            addPasses(inference: pair, read: read, to: &memory)
            addTrunkCache(of: comparisons / shards.ranks, bytesEach: 2 * 4 * shape.width, to: &memory)
        case .adapters(let adapters) where adapters.adaptedBlocks(of: shape).lowerBound > 0:
            let inference = min(total, max(limit, pair))
            addPasses(inference: inference, recorded: recorded, read: read, trained: trained, to: &memory)
            memory[.activations] += pair * activations.trunkState
            addSharedTrunk(tokens: inference, models: groups, to: &memory)
            // Responses are kept with their prompts.
            let kept = 2 * comparisons * comparisonTokens / shards.ranks
            addTrunkCache(of: kept, bytesEach: activations.trunkState, to: &memory)
        case .adapters, .full:
            let inference = scoring(total: total, limit: limit, longest: pair)
            addPasses(inference: inference, recorded: recorded, read: read, trained: trained, to: &memory)
        }
    }

    /// A policy, beside the reference and the reward models of the groups and of all.
    func addPolicy(to memory: inout StageMemory) throws(Failure) {
        let keys = configuration.policy
        let trained = try keys.trained(of: shape)
        let head = keys.training.head(groups: configuration.reward.mixture.mostGroups)
        let parameters = trained.parameterCount(shape, head: head)
        addOpened(model.opened, to: &memory)
        try addRewardModels(to: &memory)
        let weights: MemoryComponent = keys.trainable.isWhole ? .weights : .adapters
        memory[weights] += model.own(parameters)
        // Training is over when the weights are moved to a `max_kl`, along the line from those that it started with.
        var moved = memory
        if keys.training.maxKL != nil { moved[weights] += model.own(trained.parameterCount(shape, head: .none)) }
        addTraining(of: parameters, models: 1, whole: trained == .full ? head : nil, to: &memory)
        if moved.bytesPerRank > memory.bytesPerRank { memory = moved }

        let (prompt, new) = (promptTokens, keys.training.maxNewTokens)
        let sequence = min(shape.contextLength, prompt + new)
        let prompts = (keys.training.promptsPerStep + shards.count - 1) / shards.count
        let samples = keys.training.samplesPerPrompt
        let prefill = addSampling(
            items: responsesOfRank(keys.training.promptsPerStep, perItem: samples),
            samples: samples,
            prompt: prompt,
            new: new,
            // The reference samples too where medians are asked for.
            models: configuration.calibrate.method == .logSigmoid ? [.reference, .policy] : [.policy],
            to: &memory
        )
        let limit = configuration.model.microBatchTokens
        let step = (prompts * samples + keys.training.minibatches - 1) / keys.training.minibatches
        let recorded = min(
            responseTokens(step, to: min(prompts, step), prompt: prompt, new: new),
            max(limit, sequence)
        )
        // Most rows are read where all samples of a prompt are together.
        let family = responseTokens(samples, to: 1, prompt: prompt, new: new)
        let read = min(step * new, (recorded * samples * new + family - 1) / family)
        let all = responseTokens(prompts * samples, to: prompts, prompt: prompt, new: new)
        let scored = scoring(total: all, limit: limit, longest: sequence)
        let rewarded = scoring(total: all, longest: sequence)
        addPasses(
            inference: max(prefill, scored, rewarded),
            recorded: recorded,
            read: read,
            trained: trained,
            to: &memory
        )
        try addRewardPass(tokens: rewarded, to: &memory)
        if case .adapters(let adapters) = trained {
            memory[.activations] += activations.adapters(adapters, tokens: prefill, sampling: true)
        }
        let compared = min(scored, prompts * samples * new)
        // What is compared lies apart from what the recorded pass keeps.
        memory[.logits] =
            activations.compared(rows: compared)
            + max(
                memory[.logits],
                activations.logits(rows: read, recorded: true),
                activations.logits(rows: compared, recorded: false)
            )
    }

    /// The weights that copies are made of, in memory; or opened in place.
    private func addBase(isTrained: Bool, to memory: inout StageMemory) {
        if isTrained {
            memory[.weights] += model.own(shape.parameterCount(head: .none))
        } else {
            // Rewards never ask for the next token.
            var shape = shape
            if case .llama(var llama) = shape.family {
                llama.tiesEmbeddings = true
                shape.family = .llama(llama)
            }
            addOpened(FrozenBytes(shape, head: .none, stored: model.stored, precision: model.precision), to: &memory)
        }
    }

    private func addTrunkCache(of count: Int, bytesEach: Int, to memory: inout StageMemory) {
        guard configuration.run.trunkCache else { return }
        let limit = configuration.run.trunkCacheMemory << 20
        memory[.trunk] += count > limit / bytesEach ? limit : count * bytesEach
    }
}
