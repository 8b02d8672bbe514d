/// The order in which shards are added: one fixed binary tree over their numbers, whichever ranks host them.
///
/// Node (l, i) covers the shards i·2ˡ ..< (i + 1)·2ˡ as far as they exist; its sum is its left child's plus its right
/// child's, or its left child's where no shard lies under the right one. A rank hosts a contiguous run of shards, which
/// may be empty, and can form the sums of the largest nodes inside its run; the other nodes span ranks.
package struct ShardTree: Equatable, Sendable {
    /// How many shards there are.
    package let count: Int
    /// The run of each rank, in order.
    package let hosted: [Range<Int>]

    /// A tree over shards of which rank r hosts the next `counts[r]`.
    package init(hostedCounts counts: [Int]) {
        var end = 0
        hosted = counts.map { count in
            defer { end += count }
            return end..<end + count
        }
        count = end
    }

    /// The nodes whose sums a rank forms by itself, from left to right.
    package func nodes(of rank: Int) -> [Node] {
        var sum = TreeSum<Void>(shards: count)
        for shard in hosted[rank] { sum.add((), at: Node(shard: shard)) { _, _ in } }
        return sum.partials.map(\.node)
    }

    /// A place in the tree.
    package struct Node: Equatable, Sendable {
        /// 0 for a shard.
        package fileprivate(set) var level: Int
        /// Counts the nodes of a level from the left.
        package fileprivate(set) var index: Int

        /// The leaf of a shard.
        package init(shard: Int) {
            level = 0
            index = shard
        }
    }
}

extension Shards {
    /// The order in which sums over these shards are formed.
    package var tree: ShardTree { ShardTree(hostedCounts: (0..<ranks).map { hosted(by: $0).count }) }
}

/// A sum over a run of shards in the tree's order: a stack of the sums of the largest nodes that are complete so far.
///
/// At most 2·log₂ S values are held at a time.
package struct TreeSum<Value> {
    /// The sums so far, from left to right.
    package private(set) var partials: [(node: ShardTree.Node, value: Value)] = []
    /// Leaves of the tree.
    package let shards: Int

    /// Nothing yet, of a tree over this many shards.
    package init(shards: Int) {
        self.shards = shards
    }

    /// Adds the sum of the node that follows on those added before, and forms every sum that it completes.
    ///
    /// `plus` is given a left and a right operand, in this order.
    package mutating func add(_ value: Value, at node: ShardTree.Node, plus: (Value, Value) throws -> Value) rethrows {
        var (node, value) = (node, value)
        while true {
            if node.index % 2 == 1 {
                guard let left = partials.last, left.node.level == node.level, left.node.index == node.index - 1 else {
                    break
                }
                partials.removeLast()
                value = try plus(left.value, value)
            } else if node.index == 0 && 1 << node.level >= shards || (node.index + 1) << node.level < shards {
                // The root, or a left child whose sibling is still to come.
                break
            }
            node.level += 1
            node.index /= 2
        }
        partials.append((node, value))
    }

    /// The same sums in another form, or the same part of each.
    package func mapped<Other>(_ form: (Value) throws -> Other) rethrows -> TreeSum<Other> {
        var sum = TreeSum<Other>(shards: shards)
        sum.partials = try partials.map { ($0.node, try form($0.value)) }
        return sum
    }

    /// Exchanges the value of the last sum for an equal one.
    package mutating func replaceLast(_ value: Value) {
        let last = partials.removeLast()
        partials.append((last.node, value))
    }
}

extension Communicator {
    /// The sum over all shards of the run, in the order of the shard tree: the same bits on any number of ranks.
    ///
    /// `perShard` holds the numbers of this rank's shards in order, `width` of each. One exchange of all shards'
    /// numbers: meant for counts and losses, not for gradients.
    package func sumOverShards(_ perShard: [[Double]], width: Int) throws -> [Double] {
        let numbers = try allGatherV(Array(perShard.joined()))
        let shards = numbers.count / max(1, width)
        var sum = TreeSum<[Double]>(shards: shards)
        for shard in 0..<shards {
            let own = Array(numbers[shard * width..<(shard + 1) * width])
            sum.add(own, at: ShardTree.Node(shard: shard)) { left, right in zip(left, right).map { $0 + $1 } }
        }
        return sum.partials.first?.value ?? Array(repeating: 0, count: width)
    }
}

extension Communicator {
    /// Every rank's numbers, end to end in order of rank, on every rank.
    package func allGatherV(_ numbers: [Double]) throws -> [Double] {
        if size == 1 { return numbers }
        let bytes = numbers.flatMap { number in
            (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt64($0))) }
        }
        return Array(try allGather(bytes).joined()).doubles()
    }
}

extension [UInt8] {
    /// Little-endian doubles.
    fileprivate func doubles() -> [Double] {
        stride(from: 0, to: count, by: 8).map { start in
            Double(bitPattern: (0..<8).reduce(0) { $0 | UInt64(self[start + $1]) << (8 * UInt64($1)) })
        }
    }
}
