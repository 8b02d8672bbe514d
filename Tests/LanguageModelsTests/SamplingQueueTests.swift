import Randomness
import Tensors
import Testing

@testable import LanguageModels

@Suite struct SamplingQueueTests {
    /// Sequences begin in order and end at random: rows of those under way never overlap but for shared prompts, and
    /// the cache is never left empty while somebody waits.
    @Test(arguments: [(rows: 1, seed: 1), (60, 2), (100, 3), (100, 4), (100_000, 5)])
    func rowsAreOwned(rows: Int, seed: UInt64) {
        var random = CounterRandom(seed: seed, purpose: .test)
        var runs: [Range<Int>] = []
        var prompts: [Int] = []
        while prompts.count < 60 {
            let count = 1 + Int(random.uniform() * 5)
            let length = 1 + Int(random.uniform() * 20)
            runs.append(prompts.count..<prompts.count + count)
            prompts += Array(repeating: length, count: count)
        }
        var queue = SamplingQueue(runs: runs, prompts: prompts, maxNewTokens: 12, contextLength: 24, rows: rows)
        var active: [CachedSequence] = []
        var begun = 0
        while !queue.isEmpty || !active.isEmpty {
            for admission in queue.admit(beside: active.count) {
                #expect(admission.sequences.lowerBound == begun)
                begun = admission.sequences.upperBound
                let prompt = prompts[admission.sequences.lowerBound]
                #expect(admission.prefix.count == prompt)
                for tail in admission.tails {
                    #expect(tail.count == min(11, 23 - prompt))
                    active.append(CachedSequence(prefix: admission.prefix, tail: tail, length: prompt))
                }
            }
            #expect(!active.isEmpty)
            let owned = Set(active.map(\.prefix)).flatMap(Array.init) + active.flatMap { Array($0.tail) }
            #expect(Set(owned).count == owned.count && owned.allSatisfy { (0..<queue.rows).contains($0) })
            queue.release(active.remove(at: Int(random.uniform() * Double(active.count))))
        }
        #expect(begun == prompts.count)
    }

    @Test func freeRowsGrowTogether() {
        var rows = CacheRows(count: 10)
        let taken = [rows.take(3), rows.take(3), rows.take(4)]
        #expect(taken == [0..<3, 3..<6, 6..<10])
        #expect(rows.take(1) == nil && rows.take(0) == 0..<0)
        rows.give(0..<3)
        rows.give(6..<10)
        #expect(rows.take(5) == nil && rows.take(4) == 6..<10)
        rows.give(3..<6)
        #expect(rows.take(6) == 0..<6)
    }

    /// A cache of 100 rows: prompts of 20 with four tails of 10, or each with its own prompt.
    @Test func whatACacheHasRoomFor() {
        #expect(sequencesInCache(rows: 100, prompt: 20, tail: 10, samples: 4) == 6)
        #expect(sequencesInCache(rows: 100, prompt: 20, tail: 10, samples: 1) == 3)
        #expect(sequencesInCache(rows: 120, prompt: 20, tail: 10, samples: 4) == 8)
        #expect(sequencesInCache(rows: 30, prompt: 20, tail: 10, samples: 64) == 1)
        #expect(sequencesInCache(rows: 100, prompt: 20, tail: 0, samples: 4) == 20)
        #expect(cachedTail(prompt: 20, maxNewTokens: 10, contextLength: 64) == 9)
        #expect(cachedTail(prompt: 60, maxNewTokens: 10, contextLength: 64) == 3)
    }
}
