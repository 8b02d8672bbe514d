import Tensors

/// The elements of a vector that each rank sums and updates: of every bucket of the vector one piece a rank.
///
/// The partition of ZeRO stage 1 (Rajbhandari et al. 2020, arXiv 1910.02054, section 5.1), bucket by bucket, so that
/// all ranks receive alike while a backward pass hands over one bucket after the other. Pieces end at the chunks of
/// `chunkSumsOfSquares`, so that a norm has the same bits however many ranks share the vector; of a short vector or
/// bucket, ranks may have nothing.
package struct ZeROPartition: Equatable, Sendable {
    /// Elements of a bucket, about: what is received at a time stays within the caches.
    package static let bucketSize = 1 << 20
    /// Buckets of a vector at most, and so pieces of a slice, each of which costs some bookkeeping.
    private static let mostBuckets = 512

    /// Elements of the vector.
    package let count: Int
    /// How many ranks share it.
    package let ranks: Int
    /// Chunks of a bucket, as many for each rank.
    private let chunks: Int

    /// The slices of a vector of `count` elements.
    ///
    /// `bucketSize` does not change the results.
    package init(of count: Int, ranks: Int, bucketSize: Int = bucketSize) {
        precondition(count >= 0 && ranks >= 1, "\(count) elements for \(ranks) ranks")
        self.count = count
        self.ranks = ranks
        chunks = ranks * max(1, max(bucketSize, count / Self.mostBuckets) / squaresChunk / ranks)
    }

    /// Elements of every bucket but the last, which may have fewer: a chunk for each rank at least.
    package var bucketLength: Int { chunks * squaresChunk }

    /// The buckets, in order.
    package var buckets: [Range<Int>] {
        stride(from: 0, to: count, by: bucketLength).map { $0..<min($0 + bucketLength, count) }
    }

    /// Each rank's piece of a bucket, in order of rank.
    package func pieces(of bucket: Range<Int>) -> [Range<Int>] {
        let chunks = (bucket.count + squaresChunk - 1) / squaresChunk
        // Rounded up, so that the first ranks have what is too little for all.
        func boundary(_ rank: Int) -> Int {
            min(bucket.upperBound, bucket.lowerBound + (chunks * rank + ranks - 1) / ranks * squaresChunk)
        }
        return (0..<ranks).map { boundary($0)..<boundary($0 + 1) }
    }

    /// A rank's pieces, in order, joined where they touch.
    package subscript(rank: Int) -> [Range<Int>] { joined(buckets.map { pieces(of: $0)[rank] }) }

    /// Elements of the rank that has most.
    package var largest: Int { largestShare(of: [0..<count]) }

    /// Of the elements of some ranges, those of the rank that has most of them.
    package func largestShare(of ranges: [Range<Int>]) -> Int {
        var shares = Array(repeating: 0, count: ranks)
        for bucket in buckets {
            let within = ranges.filter { $0.overlaps(bucket) }
            for (rank, piece) in pieces(of: bucket).enumerated() {
                shares[rank] += within.reduce(0) { $0 + $1.clamped(to: piece).count }
            }
        }
        return shares.max() ?? 0
    }

    /// Numbers of chunks in the vector's order, of those that each rank has of its own chunks, end to end in order of
    /// rank.
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
