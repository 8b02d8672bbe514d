import Collectives
import Testing

struct ShardTreeTests {
    /// The sum of a run of shards as text, its brackets the order: the left part is the largest power of two below its
    /// length.
    private static func written(_ shards: Range<Int>) -> String {
        if shards.count == 1 { return "\(shards.lowerBound)" }
        var half = 1
        while 2 * half < shards.count { half *= 2 }
        let middle = shards.lowerBound + half
        return "(\(written(shards.lowerBound..<middle))+\(written(middle..<shards.upperBound)))"
    }

    /// What the ranks make of it: each sums its own shards, then the sums of all are added from left to right.
    private static func added(_ tree: ShardTree) -> String? {
        var whole = TreeSum<String>(shards: tree.count)
        for (rank, hosted) in tree.hosted.enumerated() {
            var own = TreeSum<String>(shards: tree.count)
            for shard in hosted { own.add("\(shard)", at: ShardTree.Node(shard: shard)) { "(\($0)+\($1))" } }
            #expect(own.partials.map(\.node) == tree.nodes(of: rank))
            for (node, value) in own.partials { whole.add(value, at: node) { "(\($0)+\($1))" } }
        }
        return whole.partials.count == 1 ? whole.partials[0].value : nil
    }

    @Test func theOrderDoesNotDependOnRanks() throws {
        for count in 1...17 {
            for ranks in 1...min(8, count) {
                let tree = try Shards(count: count, ranks: ranks).tree
                #expect(Self.added(tree) == Self.written(0..<count), "\(count) shards on \(ranks) ranks")
            }
        }
    }

    /// Every way of cutting S shards into four runs, empty ones included.
    @Test func norOnHowShardsLieOnThem() {
        for count in 1...9 {
            for first in 0...count {
                for second in first...count {
                    for third in second...count {
                        let tree = ShardTree(hostedCounts: [first, second - first, third - second, count - third])
                        #expect(Self.added(tree) == Self.written(0..<count))
                    }
                }
            }
        }
    }

    @Test func aRankHoldsFewSums() {
        let tree = ShardTree(hostedCounts: [1, 1022, 1])
        #expect(tree.nodes(of: 1).count == 18)
        #expect(ShardTree(hostedCounts: [512, 512]).nodes(of: 1).count == 1)
    }
}
