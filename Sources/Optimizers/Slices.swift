import Tensors

/// The elements of a vector that each rank sums and updates: one contiguous slice a rank.
///
/// The partition of ZeRO stage 1 (Rajbhandari et al. 2020, arXiv 1910.02054, section 5.1). Slices end at the chunks of `chunkSumsOfSquares`, so that a norm has the same bits however many ranks share the vector; ranks
/// may have nothing of a short one.
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

    /// Part number `piece` of every slice, each of at most `length` elements: what ranks exchange at a time.
    func pieces(_ piece: Int, length: Int) -> [Range<Int>] {
        all.map { slice in
            let start = min(slice.lowerBound + piece * length, slice.upperBound)
            return start..<min(start + length, slice.upperBound)
        }
    }

    /// How many pieces of `length` the longest slice has.
    func pieceCount(length: Int) -> Int {
        ((all.map(\.count).max() ?? 0) + length - 1) / length
    }

    private func boundary(_ rank: Int) -> Int {
        let chunks = (count + squaresChunk - 1) / squaresChunk
        return min(count, chunks * rank / ranks * squaresChunk)
    }
}
