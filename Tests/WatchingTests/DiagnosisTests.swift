import Testing

@testable import Watching

@Suite struct DiagnosisTests {
    /// A rank that called so many collectives, and tells so at second 1000.
    private func state(_ rank: Int, number: Int, waiting: Bool = true, idle: Double = 5) -> RankState {
        var state = RankState(rank: rank)
        state.number = number
        state.call = "barrier"
        state.isWaiting = waiting
        state.phase = "forward"
        state.step = 7
        state.idle = idle
        state.written = 1000
        return state
    }

    private func late(_ states: [RankState], seenBy rank: Int = 0, deadline: Double = 10, at time: Double = 1001)
        -> Diagnosis?
    {
        lateRanks(states, seenBy: states[rank], deadline: deadline, interval: 1, at: time)
    }

    @Test func theFewestSkippedACollective() {
        let told = mismatch(["a #2", "b #2", "a #2"])
        #expect(told == "rank 1 skipped a collective: ranks 0, 2 called a #2, rank 1 called b #2")
        #expect(mismatch(["b #2", "a #2", "a #2"]).hasPrefix("rank 0 skipped"))
    }

    @Test func ofTwoRanksTheRootIsBelieved() {
        #expect(mismatch(["a #2", "b #2"]).hasPrefix("rank 1 skipped"))
        #expect(mismatch(["b #2", "a #2"]).hasPrefix("rank 1 skipped"))
    }

    @Test func leavingBeforeOthersIsAFaultOnlyWhereTheyWaitForMore() {
        var left = state(1, number: 1, waiting: false)
        left.isFinished = true
        let waiting = state(0, number: 2)
        #expect(missingRanks([waiting, left], seenBy: waiting)?.fault == "rank 1 left the run before barrier #2")
        let working = state(0, number: 2, waiting: false)
        #expect(missingRanks([working, left], seenBy: working) == nil)
        let together = state(0, number: 1)
        #expect(missingRanks([together, left], seenBy: together) == nil)
    }

    @Test func aRankThatDoesNotWaitIsLateItself() {
        let states = [state(0, number: 1, waiting: false, idle: 12), state(1, number: 2)]
        #expect(late(states)?.ranks == [0])
        #expect(late(states)?.fault.contains("phase forward, step 7") == true)
    }

    @Test func aSlowRankThatWorksIsWaitedFor() {
        let states = [state(0, number: 2, idle: 12), state(1, number: 1, waiting: false, idle: 5)]
        #expect(late(states) == nil)
        #expect(late(states, at: 1002.5) == nil)
    }

    @Test func aRankBehindWithoutProgressIsLate() {
        let states = [state(0, number: 2, idle: 12), state(1, number: 1, waiting: false, idle: 10)]
        #expect(late(states)?.ranks == [1])
    }

    @Test func aFrozenRankIsLateWhereverItIs() {
        // Rank 2 was frozen in the collective in which all wait.
        var states = (0..<3).map { state($0, number: 1, idle: 12) }
        states[2].written = 990
        #expect(late(states)?.ranks == [2])
        #expect(late(states)?.fault.contains("as told 11.0 s ago, and no sign of life since") == true)
    }

    @Test func aLostMessageBlamesNobody() {
        let states = (0..<3).map { state($0, number: 1, idle: 12) }
        #expect(late(states)?.ranks == [])
    }

    @Test func aRankThatHasJustComeIsNotLate() {
        #expect(late([state(0, number: 1, idle: 12), state(1, number: 1, idle: 0)]) == nil)
    }

    @Test func lastCallsPutEqualRanksTogether() {
        let states = [
            state(0, number: 1), state(1, number: 1, waiting: false), state(2, number: 1), state(3, number: 1),
        ]
        #expect(lastCalls(states) == "ranks 0, 2–3: barrier #1; rank 1: barrier #1 (done)")
        #expect(lastCalls([RankState(rank: 0)]) == "rank 0: none")
    }
}
