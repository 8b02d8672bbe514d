import Collectives
import Failures
import Files
import LanguageModels
import MaxMinPolicy
import Optimizers
import Preferences
import RewardMixture
import Simulation
import Tensors

/// Predicts a stage's memory on the rank that has most to do.
///
/// b bytes of an operand, P parameters, T of them trained, K groups; see `ActivationMemory` for passes.
struct StagePlanner {
    let configuration: Configuration
    let model: PlannedModel
    let activations: ActivationMemory
    let shards: Shards
    /// Shards of the rank that hosts most.
    let hosted: Int
    /// What keys and values may take.
    var samplingBytes: Int
    /// Bytes of the files that the configuration names, decompressed.
    private let textBytes: Int

    init(_ configuration: Configuration, ranks: Int) throws(Failure) {
        self.configuration = configuration
        model = try PlannedModel(referenceOf: configuration)
        activations = ActivationMemory(model.shape, model.precision)
        samplingBytes = configuration.model.samplingMemory.map { $0 << 20 } ?? LanguageModel.defaultSamplingBytes
        shards = try Shards(count: configuration.shards, ranks: ranks)
        let shards = shards
        let data = configuration.data
        textBytes = [data.prompts, data.preferences, data.text].compactMap { $0 }.reduce(0) { $0 + bytesOfText($1) }
        hosted = (0..<ranks).map { shards.hosted(by: $0).count }.max() ?? 1
    }

    /// What a stage takes of a rank.
    func memory(of stage: Stage) throws(Failure) -> StageMemory {
        var memory = StageMemory(stage)
        memory[.process] = processBytes
        switch stage {
        case .sft: addSFT(to: &memory)
        case .simulate: addSimulate(to: &memory)
        case .reward: try addReward(to: &memory)
        case .calibrate: try addCalibrate(to: &memory)
        case .policy: try addPolicy(to: &memory)
        case .evaluate: try addEvaluate(to: &memory)
        case .report: break
        }
        return memory
    }

    var shape: ModelConfiguration { model.shape }

    /// The program with its libraries, measured; MPI's; the tokenizer's tables; texts and what they become.
    private var processBytes: Int {
        let program = 45 << 20
        let mpi = shards.ranks > 1 ? 25 << 20 : 0
        let tokenizer = 250 * shape.vocabularySize
        return program + mpi + tokenizer + 3 * textBytes
    }

    /// Texts that the program makes, as tokens and in words, with the copies that ranks exchange.
    func addTexts(_ count: Int, tokens: Int, to memory: inout StageMemory) {
        memory[.process] += count * (200 + 24 * tokens)
    }

    /// How ranks share a vector of trained parameters.
    func slices(of trained: Int) -> ZeROPartition {
        configuration.run.reduction.slices(of: trained, ranks: shards.ranks)
    }

    /// Sums and updates of `models` vectors of T trained parameters each.
    ///
    /// `head`: that of models which are trained whole, whose weights, counted already, ranks then hold in part; nil:
    /// others.
    func addTraining(of trained: Int, models: Int, whole head: Head? = nil, to memory: inout StageMemory) {
        let ranks = shards.ranks
        let reduction = configuration.run.reduction
        let slices = slices(of: trained)
        let slice = slices.largest
        if let head, model.precision == .bfloat16 {
            let masters = Parameters.matrixRanges(of: shape, head: head)
            memory[.weights] -= 4 * models * (masters.reduce(0) { $0 + $1.count } - slices.largestShare(of: masters))
        }
        let tree = shards.tree
        let kept = (0..<ranks).map { GradientSum.vectorsKept(over: tree, rank: $0, by: reduction) }.max() ?? 0
        memory[.gradients] += 4 * trained * models
        memory[.sums] += 4 * trained * models * kept
        memory[.moments] += 8 * slice * models
        if slices.ranks > 1 {
            let rounds = (0..<ranks).map { tree.nodes(of: $0).count }.max() ?? 0
            // Of a bucket, the weights before an update, and what is received.
            let bucket = min(trained, slices.bucketLength)
            memory[.communication] += 4 * (models * bucket / slices.ranks + rounds * bucket)
        }
    }

    /// Passes of a stage: the longest of those that nothing follows, and recorded ones with their backward passes.
    func addPasses(
        inference: Int,
        recorded: Int = 0,
        read: Int = 0,
        trained: TrainableParameters = .full,
        to memory: inout StageMemory
    ) {
        let longest = max(inference, recorded)
        var blocks = shape.layers
        switch trained {
        case .full: break
        case .head: blocks = 0
        case .adapters(let adapters):
            memory[.activations] += activations.adapters(adapters, tokens: longest, sampling: false)
            blocks = adapters.adaptedBlocks(of: shape).count
        }
        let checkpoints = configuration.run.activationCheckpointing
        // Recorded passes keep nothing of what lies below the trained blocks, and with checkpoints of none.
        let isPassed = recorded > 0 && (checkpoints || blocks < shape.layers)
        memory[.activations] +=
            activations.inference(tokens: isPassed ? longest : inference) + activations.shared(tokens: longest)
        if recorded > 0 && blocks > 0 {
            memory[.activations] +=
                activations.recorded(tokens: recorded, read: read, blocks: blocks, checkpointing: checkpoints)
                + activations.backward(tokens: recorded, read: read)
        }
        memory[.activations] += activations.rows(read, recorded: recorded > 0)
    }

    /// Sampling in batches: keys and values, logits and the weights' copy; returns the tokens of the longest pass.
    ///
    /// - Parameters:
    ///   - items: responses that are asked for at a time.
    ///   - samples: how many of them continue one prompt.
    ///   - models: which models sample.
    func addSampling(
        items: Int,
        samples: Int,
        prompt: Int,
        new: Int,
        models: [SamplingModel] = [.reference],
        to memory: inout StageMemory
    ) -> Int {
        let tail = cachedTail(prompt: prompt, maxNewTokens: new, contextLength: shape.contextLength)
        func prompts(of sequences: Int) -> Int { (sequences + samples - 1) / samples * prompt }
        let room = max(prompt + tail, samplingBytes / activations.cachedToken)
        let rows = min(prompts(of: items) + items * tail, room)
        let sequences = min(items, sequencesInCache(rows: room, prompt: prompt, tail: tail, samples: samples))
        memory[.cache] += rows * activations.cachedToken
        memory[.logits] = max(memory[.logits], activations.sampledLogits(sequences: sequences))
        for sampling in models {
            // A policy that is trained in full has the product type, whatever the reference's file has.
            let ofProducts = sampling == .policy && configuration.policy.trainable.isWhole
            let size = ofProducts ? model.precision.elementType.size : model.panelElementSize
            memory[.sampling] += shape.copiedSamplingElements * size
        }
        return min(prompts(of: sequences), max(activations.inferenceTokens, prompt))
    }

    /// Responses that a rank samples in a row of `total` over all ranks: its shards' together, or a shard's.
    func responsesOfRank(_ total: Int, perItem: Int = 1) -> Int {
        let ofShard = (total + shards.count - 1) / shards.count * perItem
        return ofShard * hosted
    }

    /// The longest prompt that policies see.
    var promptTokens: Int {
        let longest = max(
            1,
            min(shape.contextLength - configuration.policy.training.maxNewTokens, configuration.data.maxLength - 1)
        )
        // Openings of texts have that many tokens; those of the embedded corpus a few more.
        guard let path = configuration.data.prompts else {
            return configuration.data.preferences == nil ? min(longest, 16) : longest
        }
        return isOpenings(path) ? min(longest, configuration.simulate.promptTokens) : longest
    }

    /// The longest sequence of a comparison.
    var comparisonTokens: Int {
        let longest = min(configuration.data.maxLength, shape.contextLength)
        guard configuration.data.preferences == nil else { return longest }
        return min(longest, promptTokens + configuration.simulate.maxNewTokens)
    }

    /// Tokens of a pass over a comparison, at most.
    ///
    /// Its sequences share a prompt, whose length is known of simulated ones.
    var pairTokens: Int {
        guard configuration.data.preferences == nil else { return 2 * comparisonTokens }
        return comparisonTokens + min(comparisonTokens, configuration.simulate.maxNewTokens)
    }

    /// Tokens of a pass over responses to so many prompts, each of which those to it share but for its last token.
    func responseTokens(_ responses: Int, to prompts: Int, prompt: Int, new: Int) -> Int {
        let sequence = min(shape.contextLength, prompt + new)
        return prompts * (prompt - 1) + responses * (sequence - prompt + 1)
    }

    /// Documents of `sft`, at most.
    var documents: Int {
        min(configuration.sft.documents, configuration.data.text.map { linesOfText($0) } ?? .max)
    }

    /// Comparisons of all users.
    var comparisons: Int {
        let data = configuration.data
        if let path = data.preferences {
            guard let mapping = data.mapping else { return linesOfText(path) }
            // A row of these may have any number of comparisons.
            let options = LoadOptions(onBadLine: data.onBadLine, mapping: mapping)
            let report = try? forEachPreference(of: path, options) { _, _ in }
            return report?.kept ?? linesOfText(path)
        }
        return configuration.simulate.groups.reduce(0) { $0 + $1.users } * configuration.simulate.comparisonsPerUser
    }

    /// Tokens of a scoring pass of at most `limit` tokens, of `total`.
    func scoring(total: Int, limit: Int = .max, longest: Int) -> Int {
        min(max(1, total), max(longest, min(limit, activations.inferenceTokens)))
    }
}

/// Bytes of a file, decompressed; 0 where it cannot be read, which its reader will tell.
private func bytesOfText(_ path: String) -> Int {
    guard let file = try? InputBlocks(path: path) else { return 0 }
    if let size = file.plainSize { return size }
    var bytes = 0
    while let block = try? file.next(), !block.isEmpty { bytes += block.count }
    return bytes
}

/// Lines of a file, decompressed; 0 where it cannot be read.
private func linesOfText(_ path: String) -> Int {
    guard let file = try? InputBlocks(path: path) else { return 0 }
    var lines = 1
    while let block = try? file.next(), !block.isEmpty { lines += block.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) } }
    return lines
}

/// Whether a prompts file has texts, of which prompts are the openings: by its first row.
private func isOpenings(_ path: String) -> Bool {
    guard let fields = try? firstFields(of: path) else { return false }
    return fields.contains("text") && !fields.contains("prompt")
}

/// A model that responses are sampled from.
enum SamplingModel {
    case reference
    case policy
}
