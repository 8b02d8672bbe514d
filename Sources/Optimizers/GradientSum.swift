public import Collectives
public import Tensors

/// Sums a gradient over the shards of a run, in the order of the shard tree: the same bits on any number of ranks.
///
/// Needs memory for log₂ S vectors beside the gradient itself where a rank hosts S shards, kept from one sum to the next.
public final class GradientSum {
    private let gradient: Tensor
    private let bucketSize: Int
    private var spare: [Tensor] = []

    /// For one flat float32 gradient, summed in place.
    ///
    /// `bucketSize` elements are exchanged at a time: that bounds the memory of what other ranks send, and stays within the
    /// caches. It does not change the result.
    public init(of gradient: Tensor, bucketSize: Int = 1 << 20) {
        self.gradient = gradient
        self.bucketSize = bucketSize
    }

    /// Replaces the gradient on every rank by its sum over all shards.
    ///
    /// `work(i)` adds the gradient of the i-th of this rank's shards to the vector, which is zero before.
    public func sum(
        over tree: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        let hosted = tree.hosted[communicator.rank]
        var sum = TreeSum<Tensor>(shards: tree.count)
        // Whether the last of the sums lies in the gradient itself, where only the rank's last shard may leave it.
        var lent = false
        for (place, shard) in hosted.enumerated() {
            gradient.fill(0)
            try work(place)
            lent = true
            sum.add(gradient, at: ShardTree.Node(shard: shard)) { left, right in
                addScaled(right, scale: 1, to: left)
                if !lent { spare.append(right) }
                lent = false
                return left
            }
            if lent, shard + 1 < hosted.upperBound {
                sum.replaceLast(copied(gradient))
                lent = false
            }
        }
        let partials = sum.partials.map(\.value)
        if communicator.size > 1 {
            try reduceOverRanks(partials, into: gradient, tree: tree, bucketSize: bucketSize, communicator)
        } else if !lent {
            gradient.copy(from: partials[0])
        }
        spare += lent ? partials.dropLast() : partials
    }

    private func copied(_ vector: Tensor) -> Tensor {
        let copy = spare.popLast() ?? Tensor(zeros: [vector.count])
        copy.copy(from: vector)
        return copy
    }
}

/// Sums what the ranks have of the shard tree into `total` on every rank.
///
/// Bucket by bucket, every rank receives all sums of its own slice, adds them in the tree's order (reduce-scatter), and sends the
/// result to the others (all-gather). `partials` are this rank's nodes; they are used up, and the
/// last may be `total` itself: what a bucket sends has arrived before its sum comes in.
private func reduceOverRanks(
    _ partials: [Tensor],
    into total: Tensor,
    tree: ShardTree,
    bucketSize: Int,
    _ communicator: any Communicator
) throws {
    let (rank, size) = (communicator.rank, communicator.size)
    let nodes = (0..<size).map(tree.nodes(of:))
    let rounds = nodes.map(\.count).max() ?? 0
    let sliceSize = (min(bucketSize, total.count) + size - 1) / size
    let received = (0..<rounds).map { _ in Tensor(zeros: [size * sliceSize]) }
    for start in stride(from: 0, to: total.count, by: bucketSize) {
        let count = min(bucketSize, total.count - start)
        let slices = (0..<size).map { start + $0 * count / size..<start + ($0 + 1) * count / size }
        let mine = slices[rank]
        for round in 0..<rounds {
            let sends = slices.indices.map { $0 == rank || round >= partials.count ? 0..<0 : slices[$0] }
            let receives = nodes.indices.map { sender in
                let place = sender * sliceSize
                return sender == rank || round >= nodes[sender].count ? place..<place : place..<place + mine.count
            }
            try communicator.exchange(
                round < partials.count ? partials[round] : total,
                sends,
                into: received[round],
                receives
            )
        }
        var sum = TreeSum<Tensor>(shards: tree.count)
        for sender in nodes.indices {
            for (round, node) in nodes[sender].enumerated() {
                let part =
                    sender == rank
                    ? partials[round].view(at: mine.lowerBound, shape: [mine.count])
                    : received[round].view(at: sender * sliceSize, shape: [mine.count])
                sum.add(part, at: node) { left, right in
                    addScaled(right, scale: 1, to: left)
                    return left
                }
            }
        }
        guard let result = sum.partials.first?.value else { preconditionFailure("a tree has at least one shard") }
        try communicator.exchange(result, slices.map { _ in 0..<mine.count }, into: total, slices)
    }
}

extension Communicator {
    /// Sends parts of one float32 tensor and receives parts of another.
    ///
    /// They overlap at most in what a rank sends to itself.
    fileprivate func exchange(
        _ outgoing: Tensor,
        _ sends: [Range<Int>],
        into incoming: Tensor,
        _ receives: [Range<Int>]
    )
        throws
    {
        try outgoing.withMutableSpan { (source: inout MutableSpan<Float>) throws in
            try incoming.withMutableSpan { (target: inout MutableSpan<Float>) throws in
                try exchange(source.span, sends, into: &target, receives)
            }
        }
    }
}
