package import Collectives

/// What a communicator got wrong: every collective against known answers at its own size; empty where all is right.
///
/// Shared by the tests of the in-process group and by `mpi-selftest`, so that both transports keep the same promises.
package func complaints(about communicator: any Communicator) throws -> [String] {
    var complaints: [String] = []
    let (rank, size) = (communicator.rank, communicator.size)
    func expect(_ holds: Bool, _ what: String) {
        if !holds { complaints.append("rank \(rank) of \(size): \(what)") }
    }

    // Σ over r of (r + 1)·(i + 1): small integers, exact in any order of addition.
    let triangle = size * (size + 1) / 2
    for count in [0, 1, 3, 1000] {
        var floats = (0..<count).map { Float((rank + 1) * ($0 + 1)) }
        var span = floats.mutableSpan
        try communicator.allReduceSum(&span)
        expect(floats == (0..<count).map { Float(triangle * ($0 + 1)) }, "sum of \(count) floats")

        var doubles = (0..<count).map { Double((rank + 1) * ($0 + 1)) }
        try communicator.allReduceSum(&doubles)
        expect(doubles == (0..<count).map { Double(triangle * ($0 + 1)) }, "sum of \(count) doubles")

        var maxima = (0..<count).map { Double($0 % 2 == 0 ? rank : -rank) }
        try communicator.allReduceMax(&maxima)
        expect(maxima == (0..<count).map { Double($0 % 2 == 0 ? size - 1 : 0) }, "maximum of \(count) doubles")

        var copies = (0..<count).map { Float(rank * 1000 + $0) }
        var copiesSpan = copies.mutableSpan
        try communicator.broadcast(&copiesSpan)
        expect(copies == (0..<count).map { Float($0) }, "broadcast of \(count) floats")
    }

    let rootBytes = Array("root’s words".utf8)
    expect(try communicator.broadcast(rank == 0 ? rootBytes : [7]) == rootBytes, "broadcast of bytes")
    expect(try communicator.broadcast([]) == [], "broadcast of no bytes")

    // Rank r brings r bytes of value r; the root brings none.
    let gathered = try communicator.allGather(Array(repeating: UInt8(rank), count: rank))
    expect(gathered == (0..<size).map { Array(repeating: UInt8($0), count: $0) }, "gathered bytes")

    // Rank r sends s numbers to rank s, none of them to rank 0: r·1000 + s·100 + place.
    let sends = (0..<size).map { peer in peer * peer..<peer * peer + peer }
    let receives = (0..<size).map { peer in peer * rank..<peer * rank + rank }
    var outgoing = Array(repeating: Float(-1), count: size * size)
    for (peer, range) in sends.enumerated() {
        for (offset, index) in range.enumerated() { outgoing[index] = Float(rank * 1000 + peer * 100 + offset) }
    }
    var incoming = Array(repeating: Float(-2), count: size * rank + 1)
    var incomingSpan = incoming.mutableSpan
    try communicator.allToAllV(outgoing.span, sends, into: &incomingSpan, receives)
    let expected = (0..<size).flatMap { peer in (0..<rank).map { Float(peer * 1000 + rank * 100 + $0) } }
    expect(incoming == expected + [-2], "exchanged numbers")

    // Three shards on the root and two on every other rank, in the order of the tree: the terms differ so much that
    // every order has bits of its own.
    let own = (0..<(rank == 0 ? 3 : 2)).map { 2 * rank + $0 + (rank == 0 ? 0 : 1) }
    let term = { (shard: Int) in [1 / Double(shard + 3), shard % 3 == 1 ? 1e16 : -1e15] }
    let sums = try communicator.sumOverShards(own.map(term), width: 2)
    func sum(_ shards: Range<Int>) -> [Double] {
        if shards.count == 1 { return term(shards.lowerBound) }
        var half = 1
        while 2 * half < shards.count { half *= 2 }
        let middle = shards.lowerBound + half
        return zip(sum(shards.lowerBound..<middle), sum(middle..<shards.upperBound)).map { $0 + $1 }
    }
    expect(sums == sum(0..<2 * size + 1), "sum over shards in the order of the tree")

    // Sums that round: whatever the order of addition, all ranks must hold the same bits.
    var rounded = (0..<257).map { 1 / Float($0 * size + rank + 3) }
    var roundedSpan = rounded.mutableSpan
    try communicator.allReduceSum(&roundedSpan)
    let bits = rounded.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) } }
    expect(try communicator.allGather(bits).allSatisfy { $0 == bits }, "the same bits of a sum on every rank")
    for (index, value) in rounded.enumerated() {
        let exact = (0..<size).reduce(0.0) { $0 + Double(1 / Float(index * size + $1 + 3)) }
        expect(abs(Double(value) - exact) <= 1e-6 * exact, "sum \(index) of fractions is \(value), not \(exact)")
    }
    try communicator.barrier()
    return complaints
}
