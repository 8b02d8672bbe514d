package import Collectives
package import Tensors

/// Sums gradients over the shards of a run.
///
/// By `GradientReduction.reproducible` each rank gets the sums of its own slice, the same bits on any number of ranks;
/// this needs memory for log₂ S vectors beside the gradient itself where a rank hosts S shards, kept from one sum to
/// the next. By `.allReduce` it gets all of them.
package final class GradientSum {
    private let gradient: Tensor
    private let vectors: Int
    private let settlesTogether: Bool
    private let reduction: GradientReduction
    private let bucketSize: Int
    private var spare: [Tensor] = []
    private var received: [Tensor] = []
    /// While the last of this rank's shards is at work.
    private var underWay: (buckets: [Bucket], early: BackgroundReducer)?

    /// For flat float32 gradients of equal length that lie end to end in one tensor, summed in place; each has slices
    /// of its own.
    ///
    /// `settlesTogether`: whether a backward pass adds to all vectors at once, and not to one after the other.
    /// `bucketSize` is that of `ZeROPartition`. Neither changes the result.
    package init(
        of gradient: Tensor,
        vectors: Int = 1,
        settlesTogether: Bool = false,
        by reduction: GradientReduction = .reproducible,
        bucketSize: Int = ZeROPartition.bucketSize
    ) {
        precondition(gradient.count % vectors == 0, "\(vectors) vectors of equal length in \(gradient.count) elements")
        self.gradient = gradient
        self.vectors = vectors
        self.settlesTogether = settlesTogether
        self.reduction = reduction
        self.bucketSize = bucketSize
    }

    /// Replaces the gradients on every rank by their sums over all shards.
    ///
    /// `work` is as for `reduce`.
    package func sum(
        over tree: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        try reduce(over: tree, communicator, ofShard: work)
        if reduction == .allReduce { return }
        let slices = ZeROPartition(of: length, ranks: communicator.size, bucketSize: bucketSize)
        for vector in 0..<vectors { try communicator.gather(self[vector], slices) }
    }

    /// Replaces the part of every gradient that this rank updates by its sum over all shards; the rest of them is used
    /// up.
    ///
    /// `work(i)` adds the gradient of the i-th of this rank's shards to the vector, which is zero before.
    package func reduce(
        over tree: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        let hosted = tree.hosted[communicator.rank]
        if reduction == .allReduce {
            gradient.fill(0)
            for index in 0..<hosted.count { try work(index) }
            if communicator.size > 1 { try communicator.allReduceSum(gradient) }
            return
        }
        var sum = TreeSum<Tensor>(shards: tree.count)
        for (index, shard) in hosted.dropLast().enumerated() {
            gradient.fill(0)
            try work(index)
            sum.add(gradient, at: ShardTree.Node(shard: shard)) { left, right in
                addScaled(right, scale: 1, to: left)
                if !right.sharesStart(with: gradient) { spare.append(right) }
                return left
            }
            // The gradient's memory is the next shard's, so a sum that begins with it is a copy.
            if sum.partials.last?.value.sharesStart(with: gradient) == true { sum.replaceLast(copied(gradient)) }
        }
        gradient.fill(0)
        let buckets = buckets(ranks: communicator.size)
        let nodes = (0..<communicator.size).map(tree.nodes(of:))
        let others = sum
        let sumBucket = { index in
            try self.sum(buckets[index], of: hosted.last, and: others, over: nodes, communicator)
        }
        let early = BackgroundReducer(sumBucket)
        if communicator.size > 1 { underWay = (buckets, early) }
        defer { underWay = nil }
        do {
            if !hosted.isEmpty { try work(hosted.count - 1) }
        } catch {
            early.abandon()
            throw error
        }
        for bucket in try early.stop()..<buckets.count { try sumBucket(bucket) }
        spare += others.partials.map(\.value)
    }

    /// Tells that a shard's work adds nothing more to a gradient from `offset` on, nor to any of the gradients before
    /// that one; or, where they settle together, to any from `offset` on.
    ///
    /// What the rank's last shard has settled is summed on another thread while this one computes the rest.
    package func settled(from offset: Int, ofVector vector: Int = 0) {
        guard let underWay else { return }
        let settled = underWay.buckets.prefix {
            let isAbove = $0.range.lowerBound >= offset
            return settlesTogether ? isAbove : $0.vector < vector || $0.vector == vector && isAbove
        }
        underWay.early.allow(settled.count)
    }

    /// Frees what is kept from one sum to the next.
    package func release() { (spare, received) = ([], []) }

    /// How many vectors a rank keeps beside the gradient.
    package static func vectorsKept(over tree: ShardTree, rank: Int, by reduction: GradientReduction) -> Int {
        guard reduction == .reproducible else { return 0 }
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

extension GradientSum {
    /// Elements that the ranks sum at a time.
    private struct Bucket {
        let vector: Int
        /// In its vector.
        let range: Range<Int>
        /// Each rank's part of `range`.
        let pieces: [Range<Int>]
    }

    private var length: Int { gradient.count / vectors }

    private subscript(vector: Int) -> Tensor { gradient.view(at: vector * length, shape: [length]) }

    /// All buckets, in the order in which backward passes settle them: from each vector's end to its start, or from all
    /// vectors' ends.
    private func buckets(ranks: Int) -> [Bucket] {
        let slices = ZeROPartition(of: length, ranks: ranks, bucketSize: bucketSize)
        let buckets = (0..<vectors).flatMap { vector in
            slices.buckets.reversed().map { Bucket(vector: vector, range: $0, pieces: slices.pieces(of: $0)) }
        }
        guard settlesTogether else { return buckets }
        return buckets.sorted { ($1.range.lowerBound, $0.vector) < ($0.range.lowerBound, $1.vector) }
    }

    /// Sums a bucket over all shards into this rank's piece of it (reduce-scatter).
    ///
    /// Every rank receives all sums of its piece and adds them in the tree's order. `last`: this rank's last shard,
    /// whose gradient is in place, if it has one; `others`: the sums of its others. Both are used up. `nodes`: those
    /// that each rank forms.
    private func sum(
        _ bucket: Bucket,
        of last: Int?,
        and others: TreeSum<Tensor>,
        over nodes: [[ShardTree.Node]],
        _ communicator: any Communicator
    ) throws {
        let (rank, size) = (communicator.rank, communicator.size)
        func part(_ vector: Tensor) -> Tensor {
            vector.view(at: bucket.vector * length + bucket.range.lowerBound, shape: [bucket.range.count])
        }
        let addToLeft = { (left: Tensor, right: Tensor) in
            addScaled(right, scale: 1, to: left)
            return left
        }
        var own = others.mapped(part)
        if let last { own.add(part(gradient), at: ShardTree.Node(shard: last), plus: addToLeft) }
        let partials = own.partials.map(\.value)
        let pieces = bucket.pieces.map {
            $0.lowerBound - bucket.range.lowerBound..<$0.upperBound - bucket.range.lowerBound
        }
        let mine = pieces[rank]

        let rounds = size == 1 ? 0 : nodes.map(\.count).max() ?? 0
        for round in 0..<rounds {
            let sends = pieces.indices.map { $0 == rank || round >= partials.count ? 0..<0 : pieces[$0] }
            let receives = nodes.indices.map { sender in
                let start = sender * mine.count
                return sender == rank || round >= nodes[sender].count ? start..<start : start..<start + mine.count
            }
            let source = round < partials.count ? partials[round] : part(gradient)
            try communicator.allToAllV(source, sends, into: incoming(round, size * mine.count), receives)
        }
        var sum = TreeSum<Tensor>(shards: others.shards)
        for sender in nodes.indices {
            for (round, node) in nodes[sender].enumerated() {
                let summand =
                    sender == rank
                    ? partials[round].rows(mine)
                    : received[round].view(at: sender * mine.count, shape: [mine.count])
                sum.add(summand, at: node, plus: addToLeft)
            }
        }
        guard let result = sum.partials.first?.value else { preconditionFailure("a tree has at least one shard") }
        let ownPart = part(gradient).rows(mine)
        if !result.sharesStart(with: ownPart) { ownPart.copy(from: result) }
    }

    /// Memory for what other ranks send in a round of exchanges.
    private func incoming(_ round: Int, _ count: Int) -> Tensor {
        if round == received.count { received.append(Tensor(zeros: [count])) }
        if received[round].count < count { received[round] = Tensor(zeros: [count]) }
        return received[round]
    }
}

extension Communicator {
    /// Gives every rank the slices of a float32 vector that the others have (all-gather).
    func gather(_ vector: Tensor, _ slices: ZeROPartition) throws {
        if size == 1 { return }
        for pieces in slices.buckets.map(slices.pieces(of:)) {
            let sends = pieces.indices.map { $0 == rank ? 0..<0 : pieces[rank] }
            let receives = pieces.indices.map { $0 == rank ? 0..<0 : pieces[$0] }
            try allToAllV(vector, sends, into: vector, receives)
        }
    }

    /// Sends parts of one float32 tensor and receives parts of another, or other parts of the same.
    fileprivate func allToAllV(
        _ outgoing: Tensor,
        _ sends: [Range<Int>],
        into incoming: Tensor,
        _ receives: [Range<Int>]
    )
        throws
    {
        try outgoing.withMutableSpan { (source: inout MutableSpan<Float>) throws in
            try incoming.withMutableSpan { (target: inout MutableSpan<Float>) throws in
                try allToAllV(source.span, sends, into: &target, receives)
            }
        }
    }
}
