import Collectives
import MaxMinPolicy

/// Work that cannot be dealt to the ranks evenly, so that they wait for the busiest one.
package struct WaitingRanks: Equatable, Sendable {
    /// What is dealt.
    private let work: String
    private let ranks: Int
    /// The part of the ranks' time that is spent waiting.
    package let share: Double
    /// Ranks that would be as fast, on as many shards.
    package let enough: Int
    /// The key that decides how much there is.
    package let key: String

    /// Tells of work of these sizes on each shard, in pieces of at most `largest`; nil where ranks wait a quarter of
    /// the time at most.
    package init?(_ work: String, ofShards loads: [Int], largest: Int, ranks: Int, key: String) {
        guard let shards = try? Shards(count: loads.count, ranks: ranks) else { return nil }
        let total = loads.reduce(0, +)
        let busiest = (0..<ranks).map { shards.hosted(by: $0).reduce(0) { $0 + loads[$1] } }.max() ?? 0
        guard busiest > 0 else { return nil }
        share = 1 - Double(total) / Double(ranks * busiest)
        guard share > 0.25 else { return nil }
        // However it is dealt, a rank has its part, and one has the largest piece.
        let least = max((total - 1) / ranks + 1, largest)
        enough = (total - 1) / least + 1
        (self.work, self.ranks, self.key) = (work, ranks, key)
    }

    /// What is wrong, and what to do.
    package var warning: String {
        let percent = Int((100 * share).rounded())
        return "warning: \(work) cannot be dealt evenly to \(ranks) ranks, which wait \(percent) % of the time; "
            + "\(enough) ranks on as many shards would be as fast; see \(key)"
    }
}

extension Configuration {
    /// What cannot be dealt evenly to so many ranks: the shards themselves, and in each of some stages what lies on
    /// them.
    ///
    /// A warning about users' comparisons comes where they are read.
    package func waitingRanks(_ ranks: Int, in stages: [Stage]) -> [WaitingRanks] {
        guard ranks > 1 else { return [] }
        func waiting(_ work: String, _ count: Int, key: String) -> WaitingRanks? {
            let (each, more) = count.quotientAndRemainder(dividingBy: shards)
            let loads = (0..<shards).map { $0 < more ? each + 1 : each }
            return WaitingRanks("the \(count) \(work)", ofShards: loads, largest: 1, ranks: ranks, key: key)
        }
        let ofShards = waiting("shards", shards, key: "shards")
        let ofStages = stages.compactMap { stage in
            switch stage {
            case .sft: waiting("sequences of a step of sft", sft.batchSequences, key: "sft.batch_sequences")
            case .calibrate: waiting("prompts of calibrate", calibrate.prompts, key: "calibrate.prompts")
            case .policy:
                waiting("prompts of a step of policy", policy.training.promptsPerStep, key: "policy.prompts_per_step")
            case .evaluate: waiting("prompts of evaluate", evaluate.prompts, key: "evaluate.prompts")
            case .simulate, .reward, .report: nil
            }
        }
        // What uneven shards explain is said once.
        return (ofShards.map { [$0] } ?? []) + ofStages.filter { $0.share > (ofShards?.share ?? 0) + 0.1 }
    }
}
