import Preferences
import Randomness

/// A shard's sequences of uniformly drawn tokens, to time work on.
func randomSequences(_ count: Int, length: Int, vocabulary: Int, shard: Int = 0) -> [[Int32]] {
    (0..<count).map { item in
        var random = CounterRandom(seed: 1, purpose: .test, step: shard, item: item)
        return (0..<length).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &random) }
    }
}

/// A shard's comparisons of random tokens; both sequences of one are equally long, and lengths are spread evenly over
/// `length`.
///
/// They begin with the same `promptLength` tokens, or with all but the last where they are no longer.
func randomComparisons(
    _ count: Int,
    length: ClosedRange<Int>,
    promptLength: Int,
    vocabulary: Int,
    shard: Int = 0
) -> [TokenizedComparison] {
    let (least, most) = (length.lowerBound, length.upperBound)
    let drawn = randomSequences(2 * count, length: most, vocabulary: vocabulary, shard: shard)
    return (0..<count).map { pair in
        let length = count == 1 ? most : least + (most - least) * pair / (count - 1)
        let (chosen, other) = (drawn[2 * pair], drawn[2 * pair + 1])
        let shared = min(promptLength, length - 1)
        return TokenizedComparison([Array(chosen[..<length]), Array(chosen[..<shared] + other[shared..<length])])
    }
}
