import Collectives
import Optimizers
import Tensors
import Testing

struct GradientSumTests {
    /// Numbers of very different size, so that every order of addition has bits of its own; −0 and a shard of zeros
    /// among them.
    private static func gradient(ofShard shard: Int, count: Int) -> [Float] {
        (0..<count).map { index in
            if shard == 2 { return 0 }
            if index % 7 == 0 { return -0.0 }
            let mixed = UInt32(truncatingIfNeeded: (shard &* 7_919 &+ index &* 104_729) &* 2_654_435_761)
            return Float(Int32(bitPattern: mixed)) * (index % 3 == 0 ? 1 : 1e-6)
        }
    }

    /// The bits of the sum on every rank, of three sums in a row with the same buffers; with `settling`, a shard adds
    /// to the vector from its end, and tells where it has come to.
    private static func sums(
        _ tree: ShardTree,
        count: Int,
        bucketSize: Int,
        settling: Bool = false
    ) throws -> [[UInt32]] {
        let ranks = tree.hosted.count
        return try InProcessGroup.run(ranks: ranks) { communicator in
            let vector = Tensor(zeros: [count])
            let sum = GradientSum(of: vector, bucketSize: bucketSize)
            var bits: [UInt32] = []
            for round in 0..<3 {
                try sum.sum(over: tree, communicator) { index in
                    let shard = tree.hosted[communicator.rank].lowerBound + index
                    let own = Tensor(gradient(ofShard: shard + round, count: count), shape: [count])
                    guard settling else { return addScaled(own, scale: 1, to: vector) }
                    for start in stride(from: count - count % 10_000, through: 0, by: -10_000) {
                        let range = start..<min(start + 10_000, count)
                        addScaled(own.rows(range), scale: 1, to: vector.rows(range))
                        sum.settled(from: start)
                    }
                }
                bits += vector.array().map(\.bitPattern)
            }
            return bits
        }
    }

    /// The sum of a run of shards, by the definition of the tree.
    private static func sum(_ shards: Range<Int>, round: Int, count: Int) -> [Float] {
        // A gradient is added to zeros, which makes +0 of −0.
        if shards.count == 1 { return gradient(ofShard: shards.lowerBound + round, count: count).map { 0 + $0 } }
        var half = 1
        while 2 * half < shards.count { half *= 2 }
        let middle = shards.lowerBound + half
        return zip(
            sum(shards.lowerBound..<middle, round: round, count: count),
            sum(middle..<shards.upperBound, round: round, count: count)
        ).map { $0 + $1 }
    }

    @Test(arguments: [1, 2, 3, 4, 8]) func theBitsAreThoseOfTheTree(ranks: Int) throws {
        // Nine chunks and a bit: two buckets and more where a bucket is of as few chunks as it can be.
        let count = 9 * squaresChunk + 1003
        for shards in [8, 11] {
            let expected = (0..<3).flatMap { Self.sum(0..<shards, round: $0, count: count).map(\.bitPattern) }
            let tree = try Shards(count: shards, ranks: ranks).tree
            for (bucketSize, settling) in [(1, false), (ZeROPartition.bucketSize, false), (1, true)] {
                let sums = try Self.sums(tree, count: count, bucketSize: bucketSize, settling: settling)
                for bits in sums { #expect(bits == expected) }
            }
        }
    }

    /// Plain sums: all of them on every rank, the same bits there, in whatever order.
    @Test(arguments: [[8], [3, 5], [4, 0, 4]]) func allReduceGivesTheWholeSum(hosted: [Int]) throws {
        let count = 1003
        let expected = Self.sum(0..<8, round: 0, count: count)
        let tree = ShardTree(hostedCounts: hosted)
        let sums = try InProcessGroup.run(ranks: hosted.count) { communicator in
            let vector = Tensor(zeros: [count])
            let sum = GradientSum(of: vector, by: .allReduce)
            for _ in 0..<2 {
                try sum.reduce(over: tree, communicator) { index in
                    let shard = tree.hosted[communicator.rank].lowerBound + index
                    addScaled(Tensor(Self.gradient(ofShard: shard, count: count), shape: [count]), scale: 1, to: vector)
                }
            }
            return vector.array()
        }
        for values in sums {
            #expect(values == sums[0])
            #expect(zip(values, expected).allSatisfy { abs($0 - $1) <= 1e-5 * max(abs($1), 1e9) })
        }
    }

    /// A rank without shards, and vectors shorter than there are ranks.
    @Test(arguments: [0, 1, 2, 40]) func ranksMayHaveNothing(count: Int) throws {
        let expected = (0..<3).flatMap { Self.sum(0..<4, round: $0, count: count).map(\.bitPattern) }
        for counts in [[0, 3, 1], [2, 0, 2], [4, 0, 0], [1, 3, 0]] {
            let tree = ShardTree(hostedCounts: counts)
            for bits in try Self.sums(tree, count: count, bucketSize: 8) { #expect(bits == expected) }
        }
    }

    /// The bits of three vectors' sums over four shards on every rank, and of each vector that a shard's own numbers
    /// were added to.
    ///
    /// `work` is given those numbers, the vectors, and the sum to tell how far it has come.
    private static func sumsOfVectors(
        ranks: Int,
        settlesTogether: Bool,
        work: @escaping @Sendable (_ own: Tensor, _ vectors: [Tensor], _ sum: GradientSum) -> Void
    ) throws -> (sums: [[UInt32]], expected: [UInt32]) {
        let length = 5 * squaresChunk
        let tree = try Shards(count: 4, ranks: ranks).tree
        let sums = try InProcessGroup.run(ranks: ranks) { communicator in
            let slab = Tensor(zeros: [3 * length])
            let sum = GradientSum(of: slab, vectors: 3, settlesTogether: settlesTogether, bucketSize: 1)
            try sum.sum(over: tree, communicator) { index in
                let shard = tree.hosted[communicator.rank].lowerBound + index
                let own = Tensor(gradient(ofShard: shard, count: length), shape: [length])
                work(own, (0..<3).map { slab.view(at: $0 * length, shape: [length]) }, sum)
            }
            return slab.array().map(\.bitPattern)
        }
        return (sums, sum(0..<4, round: 0, count: length).map(\.bitPattern))
    }

    /// Several vectors, of which the first gets nothing and is settled with the second.
    @Test(arguments: 1...4) func vectorsSettleInOrder(ranks: Int) throws {
        let (sums, expected) = try Self.sumsOfVectors(ranks: ranks, settlesTogether: false) { own, vectors, sum in
            for vector in 1..<3 {
                addScaled(own, scale: 1, to: vectors[vector])
                sum.settled(from: 0, ofVector: vector)
            }
        }
        for bits in sums { #expect(bits == Array(repeating: 0, count: expected.count) + expected + expected) }
    }

    /// Several vectors that a pass adds to at once, from their ends to their starts.
    @Test(arguments: 1...4) func vectorsSettleTogether(ranks: Int) throws {
        let (sums, expected) = try Self.sumsOfVectors(ranks: ranks, settlesTogether: true) { own, vectors, sum in
            for start in stride(from: own.count - 5000, through: -4999, by: -5000) {
                let range = max(0, start)..<start + 5000
                for vector in vectors { addScaled(own.rows(range), scale: 1, to: vector.rows(range)) }
                sum.settled(from: range.lowerBound, ofVector: 2)
            }
        }
        for bits in sums { #expect(bits == expected + expected + expected) }
    }

    /// A rank whose work fails does not wait for others, and they learn of it.
    @Test func aFailureAfterABucketHasLeftEndsAll() throws {
        struct Broken: Error {}
        #expect(throws: Broken.self) {
            try InProcessGroup.run(ranks: 3) { communicator in
                let vector = Tensor(zeros: [9 * squaresChunk])
                let sum = GradientSum(of: vector, bucketSize: 1)
                try sum.reduce(over: ShardTree(hostedCounts: [1, 1, 1]), communicator) { _ in
                    sum.settled(from: 4 * squaresChunk)
                    if communicator.rank == 1 { throw Broken() }
                }
            }
        }
    }
}
