package import Randomness
import Tensors

/// How to sample.
package struct SamplingOptions: Equatable, Sendable {
    /// Longest response; the model's context also ends it.
    package var maxNewTokens: Int
    /// 0 is greedy.
    package var temperature: Float
    /// 0 keeps all.
    package var topK: Int
    /// 1 keeps all.
    package var topP: Float
    /// Generation ends after this token; nil: never.
    package var stop: Int32?

    /// States how to sample.
    package init(maxNewTokens: Int, temperature: Float = 1, topK: Int = 0, topP: Float = 1, stop: Int32?) {
        self.maxNewTokens = maxNewTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.stop = stop
    }
}

/// One sampled response.
package struct Sample: Equatable, Sendable {
    /// Response tokens, the stop token included where it was drawn.
    package var tokens: [Int32]
    /// Natural log-probability of each token under the distribution it was drawn from (after temperature, top-k,
    /// top-p).
    package var logProbabilities: [Float]
    /// Whether the stop token was drawn.
    package var finished: Bool

    /// Whether it was drawn from logits that were.
    package var isFinite: Bool { logProbabilities.allSatisfy(\.isFinite) }

    /// States a response.
    package init(tokens: [Int32], logProbabilities: [Float], finished: Bool) {
        self.tokens = tokens
        self.logProbabilities = logProbabilities
        self.finished = finished
    }
}

/// A sequence that is being sampled.
private struct ActiveSequence {
    /// Its place among the prompts.
    let index: Int
    /// Where its tokens lie in the cache.
    var cached: CachedSequence
    /// Its last token, not yet in the cache.
    var token: Int32 = 0
}

extension LanguageModel {
    /// Samples a response to each prompt, in one batch with a key–value cache of `samplingBytes`; a sequence that ends
    /// makes room for those that wait.
    ///
    /// `streams[i]` gives prompt i's random numbers: one `uniform()` a token (none where greedy). Each prompt must be
    /// shorter than the context; a response that reaches the context's end stops there, unfinished. Equal prompts that
    /// follow one another are run once, and share their keys and values. A token of logits that are not finite has a
    /// log-probability that is not. `drawn` is told of each token as soon as it is drawn, and of its prompt.
    package func sample<Problem: Error>(
        prompts: [[Int32]],
        options: SamplingOptions,
        streams: [CounterRandom],
        drawn: (_ prompt: Int, _ token: Int32) throws(Problem) -> Void
    ) throws(Problem) -> [Sample] {
        precondition(prompts.count == streams.count, "\(prompts.count) prompts but \(streams.count) random streams")
        precondition(options.temperature >= 0 && options.topP > 0 && options.topK >= 0, "sampling options out of range")
        workspace.recording = nil
        var samples = prompts.map { _ in Sample(tokens: [], logProbabilities: [], finished: false) }
        guard options.maxNewTokens > 0, !prompts.isEmpty else { return samples }
        let context = configuration.contextLength
        let longest = prompts.reduce(0) { max($0, $1.count) }
        precondition(longest < context, "prompt of \(longest) tokens fills the context")
        var streams = streams
        var (ended, drawnTokens) = (0, 0)
        var queue = SamplingQueue(
            runs: runsOfEqual(prompts),
            prompts: prompts.map(\.count),
            maxNewTokens: options.maxNewTokens,
            contextLength: context,
            rows: samplingBytes / ActivationMemory(configuration, precision).cachedToken
        )
        let weights = currentSamplingWeights()

        /// Draws a token for each sequence, given its residual stream; returns the sequences that go on.
        func advance(_ sequences: [ActiveSequence], _ residual: Tensor) throws(Problem) -> [ActiveSequence] {
            let draws = draw(hiddenRows(of: residual), weights, options: options) { row in
                streams[sequences[row].index].uniform()
            }
            var remaining: [ActiveSequence] = []
            for (var sequence, draw) in zip(sequences, draws) {
                let index = sequence.index
                samples[index].tokens.append(draw.token)
                samples[index].logProbabilities.append(draw.logProbability)
                try drawn(index, draw.token)
                samples[index].finished = draw.token == options.stop
                if !samples[index].finished, samples[index].tokens.count < options.maxNewTokens,
                    sequence.cached.length + 1 < context
                {
                    sequence.token = draw.token
                    remaining.append(sequence)
                } else {
                    queue.release(sequence.cached)
                }
            }
            ended += sequences.count - remaining.count
            drawnTokens += sequences.count
            sampled?(ended, prompts.count, drawnTokens)
            return remaining
        }

        var active: [ActiveSequence] = []
        while !active.isEmpty || !queue.isEmpty {
            let admissions = queue.admit(beside: active.count)
            if !active.isEmpty {
                let residual = decode(active, weights, rows: queue.rows)
                for i in active.indices { active[i].cached.length += 1 }
                active = try advance(active, residual)
            }
            guard !admissions.isEmpty else { continue }
            let residual = prefill(admissions, of: prompts, weights, rows: queue.rows)
            let begun = admissions.flatMap { admission in
                zip(admission.sequences, admission.tails).map { index, tail in
                    let prefix = admission.prefix
                    return ActiveSequence(
                        index: index,
                        cached: CachedSequence(prefix: prefix, tail: tail, length: prefix.count)
                    )
                }
            }
            active += try advance(begun, residual)
        }
        return samples
    }

    /// The same, told when all is sampled.
    package func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample] {
        sample(prompts: prompts, options: options, streams: streams, drawn: { _, _ in })
    }

    /// K·d.
    private var keyValueWidth: Int { configuration.keyValueHeads * configuration.headWidth }

    /// Runs the prompts of sequences that begin and fills their rows of the cache; returns the residual stream of the
    /// last token of each sequence's prompt, [S, D].
    ///
    /// In batches of bounded memory.
    private func prefill(
        _ admissions: [SamplingQueue.Admission],
        of prompts: [[Int32]],
        _ weights: SamplingWeights,
        rows: Int
    ) -> Tensor {
        let distinct = PackedSequences(admissions.map { prompts[$0.sequences.lowerBound] })
        let residual = workspace.prompts.tensor([
            admissions.reduce(0) { $0 + $1.sequences.count }, configuration.width,
        ])
        var done = 0
        for range in distinct.batches(of: inferenceTokens) {
            let batch = distinct.sequences(range)
            let pass = samplingPass(batch.positions, rows: batch.lastRows, weights)
            let ends = trunkForward(tokens: batch.tokens, pass) { layer, a in
                a.attend(batch.layout)
                let (keys, values) = workspace.cache.tensors(layer: layer, rows: rows, width: keyValueWidth)
                storePrompts(
                    qkv: a.qkv,
                    batch,
                    at: admissions[range].map(\.prefix),
                    keys: keys,
                    values: values
                )
            }
            let owners = zip(Int32(0)..., admissions[range]).flatMap { Array(repeating: $0, count: $1.sequences.count) }
            gatherRows(ends, owners, into: residual.rows(done..<done + owners.count))
            done += owners.count
        }
        return residual
    }

    /// Runs one new token of each active sequence against the cache; returns the residual stream, [B, D].
    private func decode(_ active: [ActiveSequence], _ weights: SamplingWeights, rows: Int) -> Tensor {
        let sequences = active.map(\.cached)
        let pass = samplingPass(sequences.map { Int32($0.length) }, rows: nil, weights)
        return trunkForward(tokens: active.map(\.token), pass) { layer, a in
            let (keys, values) = workspace.cache.tensors(layer: layer, rows: rows, width: keyValueWidth)
            attentionDecode(
                a.qkv,
                keyCache: keys,
                valueCache: values,
                sequences: sequences,
                into: a.attended
            )
        }
    }

    private func samplingPass(_ positions: [Int32], rows: [Int32]?, _ weights: SamplingWeights) -> TrunkPass {
        let tokens = positions.count
        let own = AdaptedRows(all: 0..<tokens, read: 0..<(rows?.count ?? tokens))
        return TrunkPass(
            tokens: tokens,
            positions: positions,
            rows: rows.flatMap { $0.count == tokens ? nil : $0 },
            runs: [ModelRun(model: self, rows: own)],
            packed: weights,
            recorded: false
        )
    }

    /// One token for each row.
    ///
    /// `uniform` is called once a row, in order, unless sampling is greedy.
    private func draw(
        _ hidden: HiddenRows,
        _ weights: SamplingWeights,
        options: SamplingOptions,
        uniform: (Int) -> Double
    ) -> [Draw] {
        let count = hidden.count
        let product = inProductType(hidden.hidden, workspace.hiddenProduct.tensor(hidden.hidden.shape))
        let logits = workspace.logits.tensor([count, configuration.vocabularySize])
        weights.vocabulary.multiply(product, into: logits)
        if options.temperature > 0 && (options.topK > 0 || options.topP < 1) {
            return (0..<count).map {
                sampleToken(logits: logits.rows($0..<$0 + 1).array(), options: options, uniform: uniform($0))
            }
        }
        let uniforms = options.temperature == 0 ? [] : (0..<count).map(uniform)
        let (tokens, logProbabilities) = sampleTokens(
            logits: logits,
            temperature: options.temperature,
            uniforms: uniforms
        )
        // The likeliest token of no numbers is none.
        let isGuess = options.temperature == 0 && nonFiniteCount(logits) > 0
        return zip(tokens, logProbabilities).map { Draw(token: $0, logProbability: isGuess ? .nan : $1) }
    }
}

/// The runs of equal prompts that follow one another.
private func runsOfEqual(_ prompts: [[Int32]]) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for index in prompts.indices {
        if let last = runs.last, prompts[last.lowerBound] == prompts[index] {
            runs[runs.count - 1] = last.lowerBound..<index + 1
        } else {
            runs.append(index..<index + 1)
        }
    }
    return runs
}
