import Collectives
import LanguageModels
import Randomness

/// One sampled response and what is known of its tokens; L response tokens, end-of-text included.
struct Rollout {
    /// Its prompt's index in the pool.
    let prompt: Int
    /// Prompt and response.
    let tokens: [Int32]
    let promptLength: Int
    /// Whether the response ended by end-of-text.
    let finished: Bool
    /// Whether it was drawn from logits that are finite.
    var isFinite = true
    /// log π of each response token, when sampled. [L]
    var logProbabilities: [Float] = []
    /// Entropy of π at each response token. [L]
    var entropies: [Float] = []
    /// Values before each response token by H heads, those of a token together; empty without a value head. [L·H]
    var values: [Float] = []
    /// log π_ref of each response token. [L]
    var reference: [Float] = []
    /// KL(π ‖ π_ref) of the next-token distributions, summed over the response tokens, in nats.
    var divergence = 0.0

    var responseLength: Int { tokens.count - promptLength }
}

/// Samples responses to prompts of each of this rank's shards, in their order; every rank calls it.
///
/// - Parameters:
///   - draw: which prompts, as a step of that number draws them; `perStep`: how many of all shards.
///   - step: of the streams of random numbers that responses are sampled with.
func sampleRollouts(
    draw: Int,
    perStep: Int,
    from policy: some SamplingPolicy,
    task: PolicyTask,
    settings: PolicySettings,
    step: Int,
    communicator: any Communicator
) -> [[Rollout]] {
    let dealt = task.shards.hosted(by: communicator.rank).map { shard in
        samplePrompts(
            step: draw,
            perStep: perStep,
            pool: task.prompts.count,
            shard: shard,
            shards: task.shards,
            seed: task.seed
        )
    }
    return sampleRollouts(
        ofShards: dealt,
        pool: task.prompts,
        from: policy,
        options: SamplingOptions(settings, task),
        samples: settings.samplesPerPrompt,
        seed: task.seed,
        step: step
    )
}

extension SamplingOptions {
    /// How a training samples.
    init(_ settings: PolicySettings, _ task: PolicyTask) {
        self.init(maxNewTokens: settings.maxNewTokens, temperature: settings.temperature, stop: task.endOfText)
    }
}

/// Samples the responses to every shard's prompts: in one batch where a response does not depend on the others in it,
/// since decoding gains most from many rows; else shard by shard.
func sampleRollouts(
    ofShards dealt: [[BatchPrompt]],
    pool: [[Int32]],
    from policy: some SamplingPolicy,
    options: SamplingOptions,
    samples: Int,
    seed: UInt64,
    step: Int
) -> [[Rollout]] {
    var remaining = sampleRollouts(
        Array(dealt.joined()),
        pool: pool,
        from: policy,
        options: options,
        samples: samples,
        seed: seed,
        step: step
    )[...]
    return dealt.map { prompts in
        defer { remaining = remaining.dropFirst(prompts.count * samples) }
        return Array(remaining.prefix(prompts.count * samples))
    }
}

/// Samples `samples` responses to each prompt, all in one batch; those of a prompt follow one another.
///
/// Stream of sample k at place p: (seed, sampling, step, p·samples + k).
func sampleRollouts(
    _ dealt: [BatchPrompt],
    pool: [[Int32]],
    from policy: some SamplingPolicy,
    options: SamplingOptions,
    samples: Int,
    seed: UInt64,
    step: Int
) -> [Rollout] {
    guard !dealt.isEmpty else { return [] }
    let places = dealt.flatMap { Array(repeating: $0, count: samples) }
    let streams = dealt.flatMap { deal in
        (0..<samples).map { sample in
            CounterRandom(seed: seed, purpose: .sampling, step: step, item: deal.index * samples + sample)
        }
    }
    let responses = policy.sample(prompts: places.map { pool[$0.prompt] }, options: options, streams: streams)
    return zip(places, responses).map { deal, response in
        Rollout(
            prompt: deal.prompt,
            tokens: pool[deal.prompt] + response.tokens,
            promptLength: pool[deal.prompt].count,
            finished: response.finished,
            isFinite: response.isFinite
        )
    }
}

/// Cuts rollouts into runs of at most `limit` tokens each, the prompt of several in a row counted once; a longer
/// sequence goes alone.
func microBatches(_ rollouts: some Collection<Rollout>, limit: Int) -> [Range<Int>] {
    packed(rollouts).sequences.batches(of: limit)
}

/// Packed rollouts and the rows that predict their response tokens: prompt tokens never enter a loss.
func packed(_ rollouts: some Collection<Rollout>) -> (sequences: PackedSequences, rows: [Int32]) {
    let lengths = rollouts.map(\.promptLength)
    let sequences = PackedSequences(rollouts.map(\.tokens), promptLengths: lengths)
    return (sequences, lengths.enumerated().flatMap { sequences.rows(predicting: $0, from: $1) })
}

/// Fills in what the policy and the reference say of every response token, both at the temperature of sampling: else
/// their difference would be no divergence.
func scoreRollouts<Policy: SamplingPolicy>(
    _ rollouts: inout [Rollout],
    policy: Policy,
    reference: Policy.Reference,
    temperature: Float,
    microBatchTokens: Int
) {
    for batch in microBatches(rollouts, limit: microBatchTokens) {
        let (sequences, rows) = packed(rollouts[batch])
        let scores = policy.tokenScores(of: sequences, rows: rows, temperature: temperature, against: reference)
        let heads = scores.own.values.count / max(1, rows.count)
        var start = 0
        for index in batch {
            let range = start..<(start + rollouts[index].responseLength)
            rollouts[index].logProbabilities = Array(scores.own.logProbabilities[range])
            rollouts[index].entropies = Array(scores.own.entropies[range])
            rollouts[index].values = Array(scores.own.values[heads * range.lowerBound..<heads * range.upperBound])
            rollouts[index].reference = Array(scores.reference[range])
            rollouts[index].divergence = scores.divergences[range].reduce(0) { $0 + Double($1) }
            start = range.upperBound
        }
    }
}
