import Reporting
package import StrictJSON

extension MemoryPlan {
    /// A table for people: components by stages, MiB, then a rank's and a node's sum.
    package var table: String {
        var table = Table(["MiB"] + stages.map(\.stage.rawValue))
        func row(_ title: String, _ bytes: (StageMemory) -> Int) {
            table.add([title] + stages.map { bytes($0) == 0 ? "–" : mebibytes(bytes($0)) })
        }
        for component in MemoryComponent.allCases where stages.contains(where: { $0[component] > 0 }) {
            row(component.title) { $0[component] }
        }
        row("a rank") { $0.bytesPerRank }
        guard ranks > 1 else { return table.text }
        row("a node of \(ranksOnNode) of the \(ranks) ranks", bytesPerNode)
        let shared = stages.contains { $0[.mapped] > 0 } ? "Ranks of a node share mapped weights.\n" : ""
        return table.text + shared
    }

    /// One JSON object.
    package func json(available: Int?) -> JSONObject {
        [
            "kind": "memory plan", "ranks": .integer(ranks), "ranks_on_node": .integer(ranksOnNode),
            "available_bytes": available.map(JSONValue.integer) ?? .null,
            "stages": .array(
                stages.map { stage in
                    var components = JSONObject()
                    for component in MemoryComponent.allCases {
                        components[component.rawValue] = .integer(stage[component])
                    }
                    return [
                        "stage": .string(stage.stage.rawValue), "rank_bytes": .integer(stage.bytesPerRank),
                        "shared_bytes": .integer(stage[.mapped]), "node_bytes": .integer(bytesPerNode(stage)),
                        "components": .object(components),
                    ]
                }
            ),
        ]
    }
}

/// Bytes in MiB, rounded up to whole ones.
package func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20)" }

/// Bytes in GiB with a decimal.
package func gibibytes(_ bytes: Int) -> String { "\((Double(bytes) / 0x1p30).formatted(decimals: 1)) GiB" }
