package import Collectives
import Failures
package import Reporting

/// Ends the run before anything is loaded where a stage cannot fit into a node's memory.
///
/// It shows the plan and names the keys to change. Every rank calls it; returns the plan on the root.
/// A plan that cannot be made is left to the stage that reads the model, which tells why.
package func requireMemory(
    for stages: [Stage],
    of configuration: Configuration,
    ranksOnNode: Int,
    communicator: any Communicator,
    progress: ProgressMeter
) throws -> MemoryPlan? {
    let nodes = try communicator.allGatherV([Double(ranksOnNode), Double(configuration.availableMemory ?? -1)])
    var result: MemoryPlan?
    if communicator.rank == 0 {
        result = try? MemoryPlan(configuration, stages: stages, ranks: communicator.size, ranksOnNode: ranksOnNode)
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
        for rank in 0..<communicator.size {
            let (ranks, available) = (Int(nodes[2 * rank]), Int(nodes[2 * rank + 1]))
            guard let plan = result?.onNode(ofRanks: ranks), available >= 0, let stage = plan.largest,
                plan.bytesPerNode(stage) > available
            else { continue }
            progress.say("memory of the run, predicted:\n\(plan.table)")
            throw Failure(.configuration, plan.shortage(of: stage, available: available), at: "run.memory_limit")
        }
    }
    try communicator.barrier()
    return result
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
