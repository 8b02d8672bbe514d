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
    /// Its place in the batch, and in the cache.
    let slot: Int
    /// Tokens in the cache.
    var length: Int
    /// Its last token, not yet in the cache.
    var token: Int32
}

extension LanguageModel {
    /// Samples a response to each prompt, in one batch with a key–value cache; finished sequences leave the batch.
    ///
    /// `streams[i]` gives prompt i's random numbers: one `uniform()` a token (none where greedy). Each prompt must be
    /// shorter than the context; a response that reaches the context's end stops there, unfinished. More prompts than
    /// fit `samplingBytes` are sampled in several batches. Equal prompts that follow one another are run once. A token
    /// of logits that are not finite has a log-probability that is not. `drawn` is told of each token as soon as it is
    /// drawn, and of its prompt.
    package func sample(
        prompts: [[Int32]],
        options: SamplingOptions,
        streams: [CounterRandom],
        drawn: (_ prompt: Int, _ token: Int32) throws -> Void
    ) rethrows -> [Sample] {
        precondition(prompts.count == streams.count, "\(prompts.count) prompts but \(streams.count) random streams")
        precondition(options.temperature >= 0 && options.topP > 0 && options.topK >= 0, "sampling options out of range")
        workspace.recording = nil
        guard options.maxNewTokens > 0 else {
            return prompts.map { _ in Sample(tokens: [], logProbabilities: [], finished: false) }
        }
        let longest = prompts.reduce(0) { max($0, $1.count) }
        precondition(longest < configuration.contextLength, "prompt of \(longest) tokens fills the context")
        let capacity = min(configuration.contextLength, longest + options.maxNewTokens)
        let slot = capacity * ActivationMemory(configuration, precision).cachedToken
        let batch = max(1, samplingBytes / slot)
        return try stride(from: 0, to: prompts.count, by: batch).flatMap { start in
            let range = start..<min(start + batch, prompts.count)
            return try sampleBatch(
                prompts: Array(prompts[range]),
                options: options,
                streams: Array(streams[range]),
                capacity: capacity,
                drawn: { try drawn(start + $0, $1) }
            )
        }
    }

    /// The same, told when all is sampled.
    package func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample] {
        sample(prompts: prompts, options: options, streams: streams, drawn: { _, _ in })
    }

    private func sampleBatch(
        prompts: [[Int32]],
        options: SamplingOptions,
        streams: [CounterRandom],
        capacity: Int,
        drawn: (Int, Int32) throws -> Void
    ) rethrows -> [Sample] {
        var streams = streams
        let weights = currentSamplingWeights()
        var samples = prompts.map { _ in Sample(tokens: [], logProbabilities: [], finished: false) }
        var residual = prefill(prompts, weights, capacity: capacity)
        var active = prompts.indices.map { ActiveSequence(slot: $0, length: prompts[$0].count, token: 0) }
        while !active.isEmpty {
            let hidden = hiddenRows(of: residual)
            let draws = draw(hidden, weights, options: options) { row in streams[active[row].slot].uniform() }
            var remaining: [ActiveSequence] = []
            for (sequence, draw) in zip(active, draws) {
                let slot = sequence.slot
                samples[slot].tokens.append(draw.token)
                samples[slot].logProbabilities.append(draw.logProbability)
                try drawn(slot, draw.token)
                if draw.token == options.stop {
                    samples[slot].finished = true
                } else if samples[slot].tokens.count < options.maxNewTokens, sequence.length + 1 < capacity {
                    remaining.append(ActiveSequence(slot: slot, length: sequence.length, token: draw.token))
                }
            }
            active = remaining
            guard !active.isEmpty else { break }
            residual = decode(active, weights, slots: prompts.count, capacity: capacity)
            for i in active.indices {
                active[i].length += 1
            }
        }
        return samples
    }

    /// K·d.
    private var keyValueWidth: Int { configuration.keyValueHeads * configuration.headWidth }

    /// Runs the prompts and fills the cache; returns the residual stream of each one's last token, [S, D].
    ///
    /// Equal prompts are run once, in batches of bounded memory.
    private func prefill(_ prompts: [[Int32]], _ weights: SamplingWeights, capacity: Int) -> Tensor {
        let runs = runsOfEqual(prompts)
        let distinct = PackedSequences(runs.map { prompts[$0.lowerBound] })
        let residual = workspace.prompts.tensor([prompts.count, configuration.width])
        for range in distinct.batches(of: inferenceTokens) {
            let batch = distinct.sequences(range)
            let pass = samplingPass(batch.positions, rows: batch.lastRows, weights)
            let ends = trunkForward(tokens: batch.tokens, pass) { layer, a in
                a.attend(batch.layout)
                let (keys, values) = workspace.cache.tensors(
                    layer: layer,
                    slots: prompts.count,
                    capacity: capacity,
                    width: keyValueWidth
                )
                storePrompts(qkv: a.qkv, batch, slots: Array(runs[range]), keys: keys, values: values)
            }
            let slots = runs[range.lowerBound].lowerBound..<runs[range.upperBound - 1].upperBound
            let owners = zip(Int32(0)..., runs[range]).flatMap { Array(repeating: $0, count: $1.count) }
            gatherRows(ends, owners, into: residual.rows(slots))
        }
        return residual
    }

    /// Runs one new token of each active sequence against the cache; returns the residual stream, [B, D].
    private func decode(
        _ active: [ActiveSequence],
        _ weights: SamplingWeights,
        slots: Int,
        capacity: Int
    ) -> Tensor {
        let own = active.map { Int32($0.slot) }
        let lengths = active.map { Int32($0.length) }
        let pass = samplingPass(lengths, rows: nil, weights)
        return trunkForward(tokens: active.map(\.token), pass) { layer, a in
            let (keys, values) = workspace.cache.tensors(
                layer: layer,
                slots: slots,
                capacity: capacity,
                width: keyValueWidth
            )
            attentionDecode(
                a.qkv,
                keyCache: keys,
                valueCache: values,
                slots: own,
                lengths: lengths,
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
