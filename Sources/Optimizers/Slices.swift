import Tensors

/// The elements of a vector that each rank sums and updates: one contiguous slice a rank.
///
/// The partition of ZeRO stage 1 (Rajbhandari et al. 2020, arXiv 1910.02054, section 5.1). Slices end at the chunks of
/// `chunkSumsOfSquares`, so that a norm has the same bits however many ranks share the vector; ranks may have nothing of a short one.
public struct Slices: Equatable, Sendable {
    /// Elements of the vector.
    public let count: Int
    /// How many ranks share it.
    public let ranks: Int

    /// Slices of a vector of `count` elements.
    public init(of count: Int, ranks: Int) {
        precondition(count >= 0 && ranks >= 1, "\(count) elements for \(ranks) ranks")
        self.count = count
        self.ranks = ranks
    }

    /// The slice of a rank.
    public subscript(rank: Int) -> Range<Int> { boundary(rank)..<boundary(rank + 1) }

    /// All slices, in order of rank.
    public var all: [Range<Int>] { (0..<ranks).map { self[$0] } }

    /// The slices cut into pieces that are exchanged one after the other, `bucketSize` elements of all ranks together at a
    /// time: a row has a piece of each rank, empty where its slice has come to an end.
    func pieces(bucketSize: Int) -> [[Range<Int>]] {
        let slices = all
        let longest = slices.map(\.count).max() ?? 0
        let length = max(1, bucketSize / ranks)
        return stride(from: 0, to: longest, by: length).map { offset in
            slices.map { slice in
                let start = min(slice.lowerBound + offset, slice.upperBound)
                return start..<min(start + length, slice.upperBound)
            }
        }
    }

    private func boundary(_ rank: Int) -> Int {
        let chunks = (count + squaresChunk - 1) / squaresChunk
        return min(count, chunks * rank / ranks * squaresChunk)
    }
}
