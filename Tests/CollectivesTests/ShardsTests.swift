import Collectives
import Failures
import Testing

struct ShardsTests {
    @Test func everyShardHasOneHostAndHostsAreContiguousAndEven() throws {
        for count in 1...12 {
            for ranks in 1...count {
                let shards = try Shards(count: count, ranks: ranks)
                let runs = (0..<ranks).map(shards.hosted)
                #expect(runs.flatMap { Array($0) } == Array(0..<count))
                #expect(runs.allSatisfy { [count / ranks, (count + ranks - 1) / ranks].contains($0.count) })
            }
        }
    }

    @Test func itemsDoNotMoveWhenRanksChange() throws {
        for ranks in 1...5 {
            let shards = try Shards(count: 5, ranks: ranks)
            let hosted = (0..<ranks).flatMap { shards.hosted(by: $0).flatMap { shards.items(of: $0, total: 22) } }
            #expect(hosted.sorted() == Array(0..<22))
            #expect(shards.items(of: 3, total: 22) == [3, 8, 13, 18])
            #expect(shards.items(of: 3, total: 2) == [])
        }
    }

    @Test func moreRanksThanShardsIsAnError() {
        let failure = #expect(throws: Failure.self) { try Shards(count: 2, ranks: 3) }
        #expect(failure?.code == .configuration)
        #expect(failure?.location == "shards")
    }
}
