import Collectives
import Failures
import LanguageModels
import Randomness

/// Sequences that are sampled in one batch; more would only cost memory for their key–value caches.
private let batchSize = 256

extension RunContext {
    /// Samples `count` responses, each on the shard that owns its number, and gives all of them to every rank.
    ///
    /// Response i continues `prompt(i)` with the stream (seed, purpose, step, i), so it is the same on any number of
    /// ranks.
    ///
    /// - Throws: `Failure` 70 on every rank where the model's logits are not finite.
    func sampleOverShards(
        count: Int,
        prompt: (Int) -> [Int32],
        from model: LanguageModel,
        named name: String,
        options: SamplingOptions,
        purpose: RandomPurpose,
        step: Int = 0,
        progress: (Int) -> Void = { _ in }
    ) throws -> [Sample] {
        let (shards, hosted) = try shards()
        let items = hosted.flatMap { shards.items(of: $0, total: count) }
        var own: [[Int32]] = []
        for start in stride(from: 0, to: items.count, by: batchSize) {
            try communicator.enter(.rollout, step: step)
            let batch = items[start..<min(start + batchSize, items.count)]
            let samples = model.sample(
                prompts: batch.map(prompt),
                options: options,
                streams: batch.map { CounterRandom(seed: seed, purpose: purpose, step: step, item: $0) }
            )
            own += zip(batch, samples).map { [Int32($0), $1.isFinite ? $1.finished ? 1 : 0 : 2] + $1.tokens }
            progress(batch.count * communicator.size)
        }
        var all = [Sample](repeating: Sample(tokens: [], logProbabilities: [], finished: false), count: count)
        for record in try allGather(own) {
            guard record[1] < 2 else {
                throw Failure(
                    .internalError,
                    "its logits after prompt \(record[0] + 1) are not finite; nothing is made of its responses",
                    at: name
                )
            }
            all[Int(record[0])] = Sample(tokens: Array(record[2...]), logProbabilities: [], finished: record[1] == 1)
        }
        return all
    }

    /// Every rank's lists of numbers, in order of rank, on every rank.
    func allGather(_ lists: [[Int32]]) throws -> [[Int32]] {
        var words: [Int32] = []
        for list in lists { words += [Int32(list.count)] + list }
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        return try communicator.allGather(bytes).flatMap { bytes in
            let words = stride(from: 0, to: bytes.count, by: 4).map { start in
                (0..<4).reduce(Int32(0)) { $0 | Int32(bytes[start + $1]) << (8 * $1) }
            }
            var lists: [[Int32]] = []
            var position = 0
            while position < words.count {
                let end = position + 1 + Int(words[position])
                lists.append(Array(words[position + 1..<end]))
                position = end
            }
            return lists
        }
    }
}
