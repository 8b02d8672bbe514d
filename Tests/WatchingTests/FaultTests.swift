import Collectives
import Failures
import Testing
import Watching

@Suite struct FaultTests {
    @Test func nothingIsAskedForByDefault() throws {
        #expect(try Fault.asked(in: [:]) == nil)
        #expect(try Fault.asked(in: ["MAXMIN_FAULT": ""]) == nil)
    }

    @Test func everyActionIsRead() throws {
        for action in Fault.Action.allCases {
            let phase: Phase = action == .bitflip ? .optimizer : .backward
            let fault = try #require(try Fault.asked(in: ["MAXMIN_FAULT": "\(phase.rawValue):2:30:\(action.rawValue)"]))
            #expect((fault.phase, fault.rank, fault.step) == (phase, 2, 30))
            #expect(fault.action == action)
        }
    }

    @Test(arguments: [
        "load", "load:0:0", "load:0:0:kill:1", "lod:0:0:kill", "load:0:0:explode", "load:-1:0:kill", "load:x:0:kill",
        "load:0:-2:kill", "load:0:0:nan", "backward:0:0:bitflip", ":::", "load:0:0:",
    ])
    func anyOtherFormIsWrongUsage(text: String) {
        let failure = #expect(throws: Failure.self) { try Fault(text) }
        #expect(failure?.code == .usage && failure?.location == "MAXMIN_FAULT")
    }

    @Test func aRankThatThereIsNotIsWrongUsage() throws {
        let fault = try Fault("load:1:0:throw")
        let failure = #expect(throws: Failure.self) { try watching(SoloCommunicator(), fault: fault) { _ in } }
        #expect(failure?.code == .usage)
    }

    @Test func itHappensOnceAtItsPlaceAlone() throws {
        let fault = try Fault("backward:1:3:nan")
        let spoiled = try InProcessGroup.run(ranks: 2) { communicator in
            try watching(communicator, fault: fault) { watched in
                var places: [String] = []
                for step in [2, 3, 3] {
                    for phase in [Phase.forward, .backward] {
                        var numbers = [1.0, 2.0]
                        try watched.enter(phase, step: step, with: &numbers)
                        if numbers[0].isNaN { places.append("\(phase) \(step)") }
                    }
                }
                return places
            }
        }
        #expect(spoiled == [[], ["backward 3"]])
    }

    @Test func throwingNamesThePlace() throws {
        let fault = try Fault("forward:0:1:throw")
        let failure = #expect(throws: Failure.self) {
            try watching(SoloCommunicator(), fault: fault) { try $0.enter(.forward, step: 1) }
        }
        #expect(failure?.message == "fault injected on rank 0 in phase forward, step 1")
    }
}
