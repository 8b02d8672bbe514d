import Testing

@testable import Launching

@Suite struct SweepJobTests {
    @Test func aSweepEndsWithTheFirstFailureUnlessItStopped() {
        #expect(SweepOutcome().status == 0)
        #expect(SweepOutcome(failures: [7: 66, 3: 70]).status == 70)
        #expect(SweepOutcome(failures: [3: 70], isStopped: true).status == 75)
    }
}
