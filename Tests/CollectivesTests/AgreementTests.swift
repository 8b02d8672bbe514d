import Collectives
import Failures
import Testing

@Suite struct AgreementTests {
    private struct Odd: Error, CustomStringConvertible { let description = "odd" }

    /// What every rank of three threw, with `work` done on each.
    private func failures(_ work: @escaping @Sendable (Int) throws -> Void) throws -> [Failure?] {
        try InProcessGroup.run(ranks: 3) { communicator in
            do {
                try communicator.agree { try work(communicator.rank) }
                return nil
            } catch {
                return error as? Failure
            }
        }
    }

    @Test func everyRanksBytesOnEveryRank() throws {
        let all = try InProcessGroup.run(ranks: 3) { communicator in
            try communicator.allGather(agreeing: { [UInt8(communicator.rank), 7] })
        }
        #expect(all == Array(repeating: [[0, 7], [1, 7], [2, 7]], count: 3))
    }

    @Test func aFailureOfOneRankIsEveryRanks() throws {
        let full = Failure(.inputOutput, "no room", at: "a file:3")
        #expect(try failures { if $0 == 2 { throw full } } == [full, full, full])
        #expect(try failures { _ in } == [nil, nil, nil])
    }

    @Test func theLowestRanksFailureCounts() throws {
        let failed = try failures { rank in
            if rank > 0 { throw Failure(rank == 1 ? .badData : .permission, "rank \(rank)") }
        }
        #expect(failed == Array(repeating: Failure(.badData, "rank 1"), count: 3))
    }

    @Test func anotherErrorIsAnInternalOne() throws {
        #expect(try failures { if $0 == 0 { throw Odd() } }[1] == Failure(.internalError, "odd"))
    }

    @Test func onlyTheRootsWorkIsBroadcast() throws {
        let all = try InProcessGroup.run(ranks: 2) { communicator in
            try communicator.broadcast(agreeing: { [UInt8(communicator.rank) + 5] })
        }
        #expect(all == [[5], [5]])
    }
}
