public import Collectives
public import Tensors

/// Sums gradients over the shards of a run.
///
/// By `GradientExchange.reproducible` each rank gets the sums of its own slice, the same bits on any number of ranks; this needs memory for
/// log₂ S vectors beside the gradient itself where a rank hosts S shards, kept from one sum to the next. By
/// `.allReduce` it gets all of them.
public final class GradientSum {
    private let gradient: Tensor
    private let vectors: Int
    private let exchange: GradientExchange
    private let bucketSize: Int
    private var spare: [Tensor] = []

    /// For flat float32 gradients of equal length that lie end to end in one tensor, summed in place; each has slices of its own.
    ///
    /// `bucketSize` elements are exchanged at a time: that bounds the memory of what other ranks send, and stays within the
    /// caches. It does not change the result.
    public init(
        of gradient: Tensor,
        vectors: Int = 1,
        by exchange: GradientExchange = .reproducible,
        bucketSize: Int = defaultBucketSize
    ) {
        precondition(gradient.count % vectors == 0, "\(vectors) vectors of equal length in \(gradient.count) elements")
        self.gradient = gradient
        self.vectors = vectors
        self.exchange = exchange
        self.bucketSize = bucketSize
    }

    /// Replaces the gradients on every rank by their sums over all shards.
    ///
    /// `work` is as for `reduce`.
    public func sum(
        over tree: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try reduce(over: tree, communicator, ofShard: work)
        if exchange == .allReduce { return }
        let length = gradient.count / vectors
        for vector in 0..<vectors {
            try communicator.gather(
                gradient.view(at: vector * length, shape: [length]),
                Slices(of: length, ranks: communicator.size),
                bucketSize: bucketSize
            )
        }
    }

    /// Replaces the part of every gradient that this rank updates by its sum over all shards; the rest of them is used up.
    ///
    /// `work(i)` adds the gradient of the i-th of this rank's shards to the vector, which is zero before.
    public func reduce(
        over tree: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        let hosted = tree.hosted[communicator.rank]
        if exchange == .allReduce {
            gradient.fill(0)
            for place in 0..<hosted.count { try work(place) }
            if communicator.size > 1 { try communicator.allReduceSum(gradient) }
            return
        }
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
            let length = gradient.count / vectors
            for start in stride(from: 0, to: gradient.count, by: max(1, length)) {
                try reduceOverRanks(
                    partials.map { $0.view(at: start, shape: [length]) },
                    into: gradient.view(at: start, shape: [length]),
                    tree: tree,
                    bucketSize: bucketSize,
                    communicator
                )
            }
        } else if !lent {
            gradient.copy(from: partials[0])
        }
        spare += lent ? partials.dropLast() : partials
    }

    /// Frees what is kept from one sum to the next.
    public func release() { spare = [] }

    /// How many vectors a rank keeps beside the gradient.
    public static func vectorsKept(over tree: ShardTree, rank: Int, by exchange: GradientExchange) -> Int {
        guard exchange == .reproducible else { return 0 }
        var sum = TreeSum<Void>(shards: tree.count)
        return tree.hosted[rank].reduce(0) { most, shard in
            // While a shard's gradient is computed, the sums before it are copies.
            let kept = max(most, sum.partials.count)
            sum.add((), at: ShardTree.Node(shard: shard)) { _, _ in }
            return kept
        }
    }

    private func copied(_ vector: Tensor) -> Tensor {
        let copy = spare.popLast() ?? Tensor(zeros: [vector.count])
        copy.copy(from: vector)
        return copy
    }
}

/// Elements that ranks exchange at a time: bounds buffers, and stays within the caches.
public let defaultBucketSize = 1 << 20

/// Sums what the ranks have of the shard tree, each rank its own slice of `total` (reduce-scatter).
///
/// Piece by piece, every rank receives all sums of its slice and adds them in the tree's order. `partials` are this rank's nodes;
/// they are used up, and the last may be `total` itself.
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
    let rows = Slices(of: total.count, ranks: size).pieces(bucketSize: bucketSize)
    // No piece of this rank's is longer than the first.
    let length = rows.first?[rank].count ?? 0
    let received = (0..<rounds).map { _ in Tensor(zeros: [size * length]) }
    for pieces in rows {
        let mine = pieces[rank]
        for round in 0..<rounds {
            let sends = pieces.indices.map { $0 == rank || round >= partials.count ? 0..<0 : pieces[$0] }
            let receives = nodes.indices.map { sender in
                let place = sender * length
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
                    ? partials[round].rows(mine)
                    : received[round].view(at: sender * length, shape: [mine.count])
                sum.add(part, at: node) { left, right in
                    addScaled(right, scale: 1, to: left)
                    return left
                }
            }
        }
        guard let result = sum.partials.first?.value else { preconditionFailure("a tree has at least one shard") }
        total.rows(mine).copy(from: result)
    }
}

extension Communicator {
    /// Gives every rank the slices of a float32 vector that the others have (all-gather).
    func gather(_ vector: Tensor, _ slices: Slices, bucketSize: Int = defaultBucketSize) throws {
        if size == 1 { return }
        for pieces in slices.pieces(bucketSize: bucketSize) {
            let sends = pieces.indices.map { $0 == rank ? 0..<0 : pieces[rank] }
            let receives = pieces.indices.map { $0 == rank ? 0..<0 : pieces[$0] }
            try exchange(vector, sends, into: vector, receives)
        }
    }

    /// Sends parts of one float32 tensor and receives parts of another, or other parts of the same.
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
