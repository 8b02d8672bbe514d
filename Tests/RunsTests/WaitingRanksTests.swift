import Testing

@testable import Runs

@Suite struct WaitingRanksTests {
    private func waiting(_ yaml: String, ranks: Int) throws -> [WaitingRanks] {
        try Configuration(yaml: yaml, file: "run.yaml").waitingRanks(ranks, in: Stage.allCases)
    }

    @Test func fewPromptsLeaveRanksWaiting() throws {
        let yaml = """
            shards: 256
            sft: { batch_sequences: 512 }
            calibrate: { prompts: 256 }
            evaluate: { prompts: 512 }
            policy: { prompts_per_step: 16 }
            """
        let found = try waiting(yaml, ranks: 256)
        #expect(found.map(\.key) == ["policy.prompts_per_step"])
        #expect(found[0].share == 240.0 / 256 && found[0].enough == 16)
        // The first 16 shards have them, and a rank hosts four.
        let fewer = try waiting(yaml, ranks: 64)
        #expect(fewer[0].share == 60.0 / 64 && fewer[0].enough == 16)
        #expect(
            found[0].warning
                == "warning: the 16 prompts of a step of policy cannot be dealt evenly to 256 ranks, which wait 94 % "
                + "of the time; 16 ranks on as many shards would be as fast; see policy.prompts_per_step"
        )
    }

    /// What uneven shards do to every stage is said once.
    @Test func shardsAreSaidOnce() throws {
        let found = try waiting("shards: 4", ranks: 3)
        #expect(found.map(\.key) == ["shards"])
        #expect(found[0].enough == 2)
        #expect(try waiting("shards: 4", ranks: 2).isEmpty && waiting("shards: 4", ranks: 1).isEmpty)
        // Refused elsewhere.
        #expect(try waiting("shards: 4", ranks: 5).isEmpty)
    }

    @Test func aLongUserIsWaitedFor() {
        func waiting(_ users: [Int]) -> WaitingRanks? {
            WaitingRanks("", ofShards: users, largest: users.max() ?? 0, ranks: users.count, key: "data.preferences")
        }
        #expect(waiting([90, 10, 10])?.enough == 2)
        #expect(waiting([10, 9, 8]) == nil)
        #expect(waiting([0, 0]) == nil)
    }
}
