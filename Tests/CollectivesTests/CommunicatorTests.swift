import CollectiveChecks
import Collectives
import Failures
import Testing

struct CommunicatorTests {
    @Test func soloKeepsThePromises() throws {
        #expect(try complaints(about: SoloCommunicator()) == [])
    }

    @Test(arguments: 1...4) func groupKeepsThePromises(ranks: Int) throws {
        let found = try InProcessGroup.run(ranks: ranks) { communicator in
            #expect(communicator.size == ranks)
            return try (communicator.rank, complaints(about: communicator))
        }
        #expect(found.map { $0.0 } == Array(0..<ranks))
        #expect(found.flatMap { $0.1 } == [])
    }

    /// 1 + 2⁻²⁴ + 2⁻²⁴ is 1 when added from the left in fp32 and 1 + 2⁻²³ from the right.
    @Test func sumsAddInOrderOfRank() throws {
        let terms: [Float] = [1, 0x1p-24, 0x1p-24]
        let sums = try InProcessGroup.run(ranks: 3) { communicator in
            var values = [terms[communicator.rank], terms[2 - communicator.rank]]
            var span = values.mutableSpan
            try communicator.allReduceSum(&span)
            return values
        }
        #expect(sums == Array(repeating: [1, 1 + 0x1p-23], count: 3))
    }

    @Test(arguments: 2...4) func anErrorOnOneRankFailsTheGroup(ranks: Int) {
        #expect(throws: Failure(.badData, "broken", at: "rank \(ranks - 1)")) {
            _ = try InProcessGroup.run(ranks: ranks) { communicator in
                try communicator.barrier()
                if communicator.rank == ranks - 1 { throw Failure(.badData, "broken", at: "rank \(ranks - 1)") }
                var values = [1.0]
                try communicator.allReduceSum(&values)
            }
        }
    }

    @Test func aRankThatReturnsEarlyFailsThoseWhoWait() {
        #expect(throws: PeerLeft.self) {
            _ = try InProcessGroup.run(ranks: 3) { communicator in
                if communicator.rank != 1 { try communicator.barrier() }
            }
        }
    }

    @Test func differentCollectivesDoNotMix() {
        #expect(throws: Failure.self) {
            _ = try InProcessGroup.run(ranks: 2) { communicator in
                var values = Array(repeating: 1.0, count: communicator.rank + 1)
                try communicator.allReduceSum(&values)
            }
        }
    }
}
