import Collectives
import LanguageModels
import Testing

@testable import MaxMinPolicy

@Test(arguments: [1, 3, 5])
func everyPlaceIsDealtOnceAndEveryPromptOnceAPass(shardCount: Int) throws {
    let shards = try Shards(count: shardCount, ranks: 1)
    let pool = 15
    var met = [Int](repeating: 0, count: pool)
    for step in 1...6 {
        let dealt = (0..<shardCount).map { shard in
            samplePrompts(step: step, perStep: 5, pool: pool, shard: shard, shards: shards, seed: 1)
        }
        #expect(dealt.joined().map(\.index).sorted() == Array(0..<5))
        for (shard, prompts) in dealt.enumerated() {
            #expect(prompts.allSatisfy { $0.prompt % shardCount == shard })
            for deal in prompts { met[deal.prompt] += 1 }
        }
        if step == 3 { #expect(met.allSatisfy { $0 == 1 }) }
    }
    #expect(met.allSatisfy { $0 == 2 })
}

/// More shards than prompts of a step: shards take turns.
@Test func shardsTakeTurns() throws {
    let shards = try Shards(count: 4, ranks: 1)
    let counts = (0..<4).map { shard in
        (1...4).reduce(0) {
            $0 + samplePrompts(step: $1, perStep: 3, pool: 8, shard: shard, shards: shards, seed: 1).count
        }
    }
    #expect(counts == [3, 3, 3, 3])
}

@Test func microBatchesKeepTheLimit() {
    func rollouts(_ lengths: [Int], ofPrompt length: Int) -> [Rollout] {
        lengths.enumerated().map { index, count in
            let tokens = Array(repeating: Int32(length == 1 ? index : 0), count: count)
            return Rollout(prompt: 0, tokens: tokens, promptLength: length, finished: false)
        }
    }
    #expect(microBatches(rollouts([3, 3, 3, 9, 2, 2], ofPrompt: 1), limit: 6) == [0..<2, 2..<3, 3..<4, 4..<6])
    #expect(microBatches(rollouts([5, 6, 5, 6], ofPrompt: 4), limit: 10) == [0..<3, 3..<4])
    #expect(microBatches([Rollout](), limit: 6).isEmpty)
}

@Test func onlyResponseTokensAreScored() {
    let rollouts = [
        Rollout(prompt: 0, tokens: [7, 8, 1, 2], promptLength: 2, finished: false),
        Rollout(prompt: 1, tokens: [9, 3], promptLength: 1, finished: true),
    ]
    let (sequences, rows) = packed(rollouts)
    #expect(rows.map { sequences.tokens[Int($0) + 1] } == [1, 2, 3])
}
