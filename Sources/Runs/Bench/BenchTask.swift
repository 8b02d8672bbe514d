internal import Collectives
internal import LanguageModels
internal import MaxMinPolicy
internal import Optimizers
internal import Randomness
internal import RewardMixture
internal import Tensors

/// Work that training does, to be timed by itself.
package enum BenchTask: String, CaseIterable, Sendable {
    /// Bradley–Terry forward and backward over 8 pairs of 128 tokens, and an AdamW step of all parameters.
    case rewardStep = "reward-step"
    /// Rewards of 8 pairs of 128 tokens.
    case score
    /// 16 responses of 48 tokens to prompts of 8, with a key–value cache.
    case generate
    /// A policy step: 16 responses of 48 tokens, scored by 2 reward models and the reference, and 4 epochs of PPO.
    case policyStep = "policy-step"
    /// A gradient of 256 MiB summed over shards, one a rank, in the order of the shard tree, beside `MPI_Allreduce`.
    case allReduce = "allreduce"
    /// The model's largest product: 1,024 rows times the feed-forward matrix.
    case gemm
}

/// One repetition of a task, and what it gets done.
struct BenchWork {
    let run: () throws -> Void
    /// Tokens that a repetition handles on this rank (response tokens for `generate` and `policy-step`); 0: none.
    var tokens = 0
    /// Floating-point operations of its products on this rank; 0: not counted.
    var operations = 0.0
    /// Bytes that it reduces; 0: none.
    var bytes = 0
    /// Other work of the same effect, timed in turn with it.
    var alternative: (() throws -> Void)?
}

extension BenchTask {
    /// Sets the task up on random tokens; set-up is not timed.
    func work(model: LanguageModel, batch: Int?, mebibytes: Int, communicator: any Communicator) throws -> BenchWork {
        switch self {
        case .rewardStep: rewardStepWork(model, pairs: batch ?? 8)
        case .score: scoreWork(model, pairs: batch ?? 8)
        case .generate: generateWork(model, sequences: batch ?? 16)
        case .policyStep: try policyStepWork(model, responses: batch ?? 16)
        case .allReduce: allReduceWork(communicator, mebibytes: mebibytes)
        case .gemm: gemmWork(model)
        }
    }
}

/// Operations of the trunk's products for one token, forward: 2 for each weight of the blocks' matrices.
private func forwardOperations(_ configuration: ModelConfiguration) -> Double {
    2 * Double(configuration.layers) * Double(configuration.blockMatrixElements)
}

private func rewardStepWork(_ model: LanguageModel, pairs: Int) -> BenchWork {
    let reward = model.copy(head: .reward, seed: 1)
    let vocabulary = model.configuration.vocabularySize
    let sequences = PackedSequences(randomSequences(2 * pairs, length: 128, vocabulary: vocabulary))
    let optimizer = AdamW(training: reward, AdamWSettings())
    return BenchWork(
        run: {
            reward.parameters.gradients.fill(0)
            let rewards = reward.forwardRewards(sequences)
            let margins = stride(from: 0, to: rewards.count, by: 2).map { rewards[$0] - rewards[$0 + 1] }
            let gradient = bradleyTerry(margins: margins).dMargins
            reward.backwardRewards(gradient.flatMap { [$0 / Float(pairs), -$0 / Float(pairs)] })
            _ = try optimizer.update(learningRate: 1e-5)
            reward.parametersDidChange()
        },
        tokens: sequences.tokens.count,
        operations: 3 * Double(sequences.tokens.count) * forwardOperations(model.configuration)
    )
}

private func scoreWork(_ model: LanguageModel, pairs: Int) -> BenchWork {
    let reward = model.copy(head: .reward, seed: 1)
    let vocabulary = model.configuration.vocabularySize
    let sequences = PackedSequences(randomSequences(2 * pairs, length: 128, vocabulary: vocabulary))
    return BenchWork(
        run: { _ = reward.rewards(of: sequences) },
        tokens: sequences.tokens.count,
        operations: Double(sequences.tokens.count) * forwardOperations(model.configuration)
    )
}

private func generateWork(_ model: LanguageModel, sequences: Int) -> BenchWork {
    let prompts = randomSequences(sequences, length: 8, vocabulary: model.configuration.vocabularySize)
    let streams = (0..<sequences).map { CounterRandom(seed: 1, purpose: .sampling, item: $0) }
    let options = SamplingOptions(maxNewTokens: 48, stop: nil)
    let head = 2 * Double(model.configuration.width) * Double(model.configuration.vocabularySize)
    return BenchWork(
        run: { _ = model.sample(prompts: prompts, options: options, streams: streams) },
        tokens: sequences * 48,
        operations: Double(sequences) * (56 * forwardOperations(model.configuration) + 48 * head)
    )
}

private func policyStepWork(_ reference: LanguageModel, responses: Int) throws -> BenchWork {
    let rewards = [reference.copy(head: .reward, seed: 1), reference.copy(head: .reward, seed: 2)]
    let prompts = randomSequences(max(4, responses / 4), length: 8, vocabulary: reference.configuration.vocabularySize)
    var settings = PolicySettings()
    settings.algorithm = .ppo
    settings.steps = 1
    settings.promptsPerStep = max(1, responses / 4)
    settings.samplesPerPrompt = 4
    settings.maxNewTokens = 48
    settings.epochs = 4
    let step = policyStep(
        from: reference,
        rewards: rewards,
        prompts: prompts,
        settings: settings,
        shards: try Shards(count: 1, ranks: 1),
        over: SoloCommunicator()
    )
    return BenchWork(
        run: { try step(SoloCommunicator()) },
        tokens: settings.promptsPerStep * 4 * 48
    )
}

private func allReduceWork(_ communicator: any Communicator, mebibytes: Int) -> BenchWork {
    let values = Tensor(zeros: [mebibytes << 18])
    let sum = GradientSum(of: values)
    let tree = ShardTree(hostedCounts: Array(repeating: 1, count: communicator.size))
    return BenchWork(
        run: { try sum.sum(over: tree, communicator) { _ in } },
        bytes: 4 * values.count,
        alternative: communicator.size == 1
            ? nil
            : {
                // The sum of shards begins with zeroing the gradient.
                values.fill(0)
                try communicator.allReduceSum(values)
            }
    )
}

private func gemmWork(_ model: LanguageModel) -> BenchWork {
    let type: ElementType = model.precision == .bfloat16 ? .bfloat16 : .float32
    let (width, inner) = (model.configuration.width, model.configuration.innerWidth)
    let a = Tensor(zeros: [1024, width], type)
    let b = Tensor(zeros: [width, inner], type)
    let c = Tensor(zeros: [1024, inner])
    a.fill(0.5)
    b.fill(0.25)
    return BenchWork(run: { multiply(a, b, into: c) }, operations: 2 * 1024 * Double(width) * Double(inner))
}
