import Tensors

/// The elements of a vector that each rank sums and updates: of every bucket of the vector one piece a rank.
///
/// The partition of ZeRO stage 1 (Rajbhandari et al. 2020, arXiv 1910.02054, section 5.1), bucket by bucket, so that all ranks receive
/// alike while a backward pass hands over one bucket after the other. Pieces end at the chunks of `chunkSumsOfSquares`, so that a norm has
/// the same bits however many ranks share the vector; of a short vector or bucket, ranks may have nothing.
public struct Slices: Equatable, Sendable {
    /// Elements of a bucket, about: bounds what is received at a time, and stays within the caches.
    public static let bucketSize = 1 << 20

    /// Elements of the vector.
    public let count: Int
    /// How many ranks share it.
    public let ranks: Int
    /// Chunks of a bucket, as many for each rank.
    private let chunks: Int

    /// Slices of a vector of `count` elements.
    ///
    /// `bucketSize` does not change the results.
    public init(of count: Int, ranks: Int, bucketSize: Int = bucketSize) {
        precondition(count >= 0 && ranks >= 1, "\(count) elements for \(ranks) ranks")
        self.count = count
        self.ranks = ranks
        chunks = ranks * max(1, bucketSize / squaresChunk / ranks)
    }

    /// The buckets, in order.
    public var buckets: [Range<Int>] {
        stride(from: 0, to: count, by: chunks * squaresChunk).map { $0..<min($0 + chunks * squaresChunk, count) }
    }

    /// Each rank's piece of a bucket, in order of rank.
    public func pieces(of bucket: Range<Int>) -> [Range<Int>] {
        let chunks = (bucket.count + squaresChunk - 1) / squaresChunk
        // Rounded up, so that the first ranks have what is too little for all.
        func boundary(_ rank: Int) -> Int {
            min(bucket.upperBound, bucket.lowerBound + (chunks * rank + ranks - 1) / ranks * squaresChunk)
        }
        return (0..<ranks).map { boundary($0)..<boundary($0 + 1) }
    }

    /// A rank's pieces, in order, joined where they touch.
    public subscript(rank: Int) -> [Range<Int>] {
        var all: [Range<Int>] = []
        for piece in buckets.map({ pieces(of: $0)[rank] }) where !piece.isEmpty {
            if let last = all.last, last.upperBound == piece.lowerBound {
                all[all.count - 1] = last.lowerBound..<piece.upperBound
            } else {
                all.append(piece)
            }
        }
        return all
    }

    /// Elements of the rank that has most.
    public var largest: Int { largestShare(of: [0..<count]) }

    /// Of the elements of some ranges, those of the rank that has most of them.
    public func largestShare(of ranges: [Range<Int>]) -> Int {
        let shares = (0..<ranks).map { rank in
            self[rank].reduce(0) { sum, piece in
                ranges.reduce(sum) { $0 + ($1.overlaps(piece) ? $1.clamped(to: piece).count : 0) }
            }
        }
        return shares.max() ?? 0
    }

    /// Numbers of chunks in the vector's order, of those that each rank has of its own chunks, end to end in order of rank.
    func inOrder<Number>(_ ofRanks: [Number]) -> [Number] {
        let pieces = buckets.map(pieces(of:))
        func chunks(_ piece: Range<Int>) -> Int { (piece.count + squaresChunk - 1) / squaresChunk }
        var next = [0]
        for rank in 0..<ranks { next.append(next[rank] + pieces.reduce(0) { $0 + chunks($1[rank]) }) }
        return pieces.flatMap { row in
            row.enumerated().flatMap { rank, piece in
                defer { next[rank] += chunks(piece) }
                return ofRanks[next[rank]..<next[rank] + chunks(piece)]
            }
        }
    }
}
