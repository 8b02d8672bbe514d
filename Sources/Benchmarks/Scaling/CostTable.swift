import Reporting
package import StrictJSON

/// The predictions of a model for numbers of ranks, as a table for people.
package func costTable(_ model: CostModel, ranks: [Int]) -> String {
    var table = Table([
        "ranks", "compute (s)", "communication (s)", "weak efficiency (%)", "sent (MB)", "messages",
        "memory of a rank (GB)",
        "of a node (GB)",
    ])
    let alone = model.costs(ranks: 1)
    for count in ranks {
        let costs = model.costs(ranks: count)
        let seconds = costs.computeSeconds + costs.communicationSeconds
        let node = Double(min(count, model.ranksPerNode)) * costs.memoryOfRank + costs.sharedMemory
        table.add([
            "\(count)", costs.computeSeconds.formatted(decimals: 3), costs.communicationSeconds.formatted(decimals: 4),
            (100 * alone.computeSeconds / seconds).formatted(decimals: 1), (costs.bytes / 1e6).formatted(decimals: 1),
            "\(costs.messages)", ((costs.memoryOfRank + costs.sharedMemory) / 1e9).formatted(decimals: 2),
            (node / 1e9).formatted(decimals: 2),
        ])
    }
    return table.text
}

extension StepCosts {
    /// One JSON object.
    package func json(ranks: Int) -> JSONObject {
        var object: JSONObject = [
            "ranks": .integer(ranks), "compute_seconds": .number(computeSeconds),
            "communication_seconds": .number(communicationSeconds), "bytes": .number(bytes),
            "messages": .integer(messages), "shared_bytes": .number(sharedMemory),
        ]
        for (component, bytes) in memory { object["\(component)_bytes"] = .number(bytes) }
        return object
    }
}
