import Randomness

/// A shard's sequences of uniformly drawn tokens, to time work on.
func randomSequences(_ count: Int, length: Int, vocabulary: Int, shard: Int = 0) -> [[Int32]] {
    (0..<count).map { item in
        var random = CounterRandom(seed: 1, purpose: .test, step: shard, item: item)
        return (0..<length).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
    }
}
