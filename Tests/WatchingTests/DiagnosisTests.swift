import Testing

@testable import Watching

@Suite struct DiagnosisTests {
    /// A rank that called so many collectives.
    private func state(_ rank: Int, number: Int, waiting: Bool = true, idle: Double = 5) -> RankState {
        var state = RankState(rank: rank)
        state.number = number
        state.call = "barrier"
        state.isWaiting = waiting
        state.phase = "forward"
        state.step = 7
        state.idle = idle
        return state
    }

    private func late(_ states: [RankState], _ sightings: Sightings = Sightings()) -> Diagnosis? {
        lateRanks(states, seenBy: states[0], deadline: 10, sightings, lag: 3)
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
        let diagnosis = ownLateness(state(0, number: 1, waiting: false, idle: 12), deadline: 10)
        #expect(diagnosis.ranks == [0])
        #expect(
            diagnosis.fault == "rank 0 is late: phase forward, step 7, for 12.0 s without progress (deadline 10.0 s)"
        )
    }

    @Test func aSlowRankThatWorksIsWaitedFor() {
        let states = [state(0, number: 2, idle: 12), state(1, number: 1, waiting: false, idle: 5)]
        #expect(late(states) == nil)
    }

    @Test func aRankBehindWithoutProgressIsLate() {
        let states = [state(0, number: 2, idle: 12), state(1, number: 1, waiting: false, idle: 10)]
        #expect(late(states)?.ranks == [1])
    }

    @Test func aFrozenRankIsLateWhereverItIs() {
        // Rank 2 was frozen in the collective in which all wait.
        var states = (0..<3).map { state($0, number: 1, idle: 12) }
        var sightings = Sightings()
        for second in 0...4 {
            states[1].count += 1
            #expect(late(states, sightings)?.ranks == [], "after \(second) s")
            sightings.look(states, at: 100 + Double(second), gap: 1.5)
        }
        #expect(late(states, sightings)?.ranks == [2])
        let told = late(states, sightings)?.fault
        #expect(told?.contains("for 16.0 s without progress, and no sign of life for 4.0 s") == true)
    }

    @Test func aFileThatIsSeenLateIsNoFrozenRank() {
        // NFS shows rank 1, which works and tells so every five seconds, as it was at the last full minute.
        let waiting = state(0, number: 2, idle: 4000)
        var sightings = Sightings()
        for second in stride(from: 0.0, through: 600, by: 5) {
            var seen = state(1, number: 1, waiting: false, idle: 1)
            seen.count = Int(second / 60) * 12
            sightings.look([waiting, seen], at: second, gap: 60)
            let diagnosis = lateRanks([waiting, seen], seenBy: waiting, deadline: 3600, sightings, lag: 120)
            #expect(diagnosis == nil, "after \(second) s")
        }
    }

    @Test func whoWasAsleepLooksAnew() {
        let states = [state(0, number: 1, idle: 4000), state(1, number: 1, idle: 4000)]
        var sightings = Sightings()
        sightings.look(states, at: 0, gap: 1.5)
        sightings.look(states, at: 1, gap: 1.5)
        #expect(sightings.silence(of: 1) == 1)
        sightings.look(states, at: 4000, gap: 1.5)
        #expect(sightings.silence(of: 1) == 0)
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
