package import Collectives
import Failures
import LanguageModels
package import Reporting

/// Ends the run before anything is loaded where a stage cannot fit into a node's memory.
///
/// It shows the plan and names the keys to change. Every rank calls it; returns the plan on the root, and on every rank
/// what keys and values may take of one, which the node with least memory decides.
/// A plan that cannot be made is left to the stage that reads the model, which tells why.
package func requireMemory(
    for stages: [Stage],
    of configuration: Configuration,
    ranksOnNode: Int,
    communicator: any Communicator,
    progress: ProgressMeter
) throws -> (plan: MemoryPlan?, samplingBytes: Int) {
    let nodes = try communicator.allGatherV([Double(ranksOnNode), Double(configuration.availableMemory ?? -1)])
    var result: MemoryPlan?
    if communicator.rank == 0 {
        // Of the nodes with as many ranks the one with least memory; -1 where the system does not tell.
        let rooms = (0..<communicator.size).map { (ranks: Int(nodes[2 * $0]), available: Int(nodes[2 * $0 + 1])) }
        let least = Dictionary(rooms.map { ($0.ranks, $0.available) }, uniquingKeysWith: min)
        let plans = least.compactMap { ranks, available in
            try? MemoryPlan(
                configuration,
                stages: stages,
                ranks: communicator.size,
                ranksOnNode: ranks,
                available: available < 0 ? nil : available
            )
        }
        result = plans.min { $0.samplingBytes < $1.samplingBytes }?.onNode(ofRanks: ranksOnNode)
        let largest = result?.stages.max { $0.bytesPerRank < $1.bytesPerRank }
        if let largest, let free = freeAddressSpace(), largest.bytesPerRank > free {
            let needed =
                "\(gibibytes(largest.bytesPerRank)) of each rank, whose address space has \(gibibytes(free)) left"
            throw Failure(
                .configuration,
                "the stage \(largest.stage.rawValue) needs \(needed); raise the limit",
                at: "ulimit -v"
            )
        }
        for (ranks, available) in least {
            guard let plan = result?.onNode(ofRanks: ranks), available >= 0, let stage = plan.largest,
                plan.bytesPerNode(stage) > available
            else { continue }
            progress.say("memory of the run, predicted:\n\(plan.table)")
            throw Failure(.configuration, plan.shortage(of: stage, available: available), at: "run.memory_limit")
        }
    }
    // The others wait here for the root.
    var samplingBytes = [Double(result?.samplingBytes ?? 0)]
    try communicator.allReduceMax(&samplingBytes)
    return (result, samplingBytes[0] > 0 ? Int(samplingBytes[0]) : LanguageModel.defaultSamplingBytes)
}

extension Configuration {
    /// Bytes of a node that the run may plan for; nil where neither the configuration nor the system tells.
    package var availableMemory: Int? { run.memoryLimit.map { $0 << 20 } ?? Runs.availableMemory() }
}

extension MemoryPlan {
    /// What is wrong, and what to do.
    package func shortage(of stage: StageMemory, available: Int) -> String {
        let keys = stage.remedies.joined(separator: ", ")
        return
            "the stage \(stage.stage.rawValue) needs \(gibibytes(bytesPerNode(stage))) on a node of \(ranksOnNode) "
            + "ranks, where "
            + "\(gibibytes(available)) are available; change \(keys), or use fewer ranks a node"
    }
}
