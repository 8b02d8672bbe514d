import Collectives
package import Failures
import LanguageModels
import ModelFiles

/// What memory a stage takes of a rank at its peak, predicted from shapes and keys.
package struct StageMemory: Equatable, Sendable {
    package let stage: Stage
    /// Bytes by component; of `mapped`, ranks of a node share them.
    package private(set) var bytes: [MemoryComponent: Int] = [:]

    package init(_ stage: Stage) { self.stage = stage }

    /// Bytes of a component.
    package subscript(component: MemoryComponent) -> Int {
        get { bytes[component, default: 0] }
        set { bytes[component] = newValue }
    }

    /// Of a rank, with what it shares.
    package var bytesPerRank: Int { bytes.values.reduce(0, +) }

    /// Of a node with so many ranks.
    package func bytesPerNode(ranks: Int) -> Int { ranks * (bytesPerRank - self[.mapped]) + self[.mapped] }

    /// Keys that make the largest components smaller, largest first.
    package var remedies: [String] {
        var keys: [String] = []
        for (component, _) in bytes.sorted(by: { ($0.value, $0.key.rawValue) > ($1.value, $1.key.rawValue) }) {
            if let key = component.remedy(in: stage), !keys.contains(key) { keys.append(key) }
        }
        return Array(keys.prefix(3))
    }
}

/// What memory a run takes, predicted before anything is loaded: an upper bound as far as lengths of texts go, which
/// count as `data.max_length` says.
package struct MemoryPlan: Sendable {
    package let ranks: Int
    package private(set) var ranksOnNode: Int
    package let stages: [StageMemory]
    /// What keys and values may take of a rank: `model.sampling_memory`, resolved.
    package let samplingBytes: Int
    /// What planned it, which knows the sizes of the data files.
    let planner: StagePlanner

    /// Plans some stages of a run.
    ///
    /// `available`: bytes of a node that the run may take, which `model.sampling_memory: auto` depends on; nil where
    /// nobody tells.
    ///
    /// - Throws: `Failure` where model.path cannot be read or `trainable` does not suit its shape.
    package init(
        _ configuration: Configuration,
        stages: [Stage],
        ranks: Int,
        ranksOnNode: Int,
        available: Int? = nil
    ) throws(Failure) {
        self.ranks = ranks
        self.ranksOnNode = min(ranks, ranksOnNode)
        var planner = try StagePlanner(configuration, ranks: ranks)
        if configuration.model.samplingMemory == nil, let available {
            planner.samplingBytes = try planner.automaticSamplingBytes(
                stages,
                ranksOnNode: self.ranksOnNode,
                available: available
            )
        }
        samplingBytes = planner.samplingBytes
        self.planner = planner
        var planned: [StageMemory] = []
        for stage in Stage.allCases where stages.contains(stage) && stage != .report {
            planned.append(try planner.memory(of: stage))
        }
        self.stages = planned
    }

    /// The same run on a node of so many of its ranks.
    package func onNode(ofRanks count: Int) -> MemoryPlan {
        var plan = self
        plan.ranksOnNode = min(ranks, count)
        return plan
    }

    /// The stage that takes most of a node.
    package var largest: StageMemory? { stages.max { bytesPerNode($0) < bytesPerNode($1) } }

    /// Of a node.
    package func bytesPerNode(_ stage: StageMemory) -> Int { stage.bytesPerNode(ranks: ranksOnNode) }
}

extension StagePlanner {
    /// Half of what the largest stage that samples leaves of a node, shared by its ranks.
    ///
    /// The other half is for the files that ranks map, which the system then need not read again, and for what a plan
    /// cannot know.
    fileprivate func automaticSamplingBytes(
        _ stages: [Stage],
        ranksOnNode: Int,
        available: Int
    ) throws(Failure) -> Int {
        var planner = self
        // Room for one response.
        planner.samplingBytes = 0
        var taken = 0
        for stage in stages where [.simulate, .calibrate, .policy, .evaluate].contains(stage) {
            taken = max(taken, try planner.memory(of: stage).bytesPerNode(ranks: ranksOnNode))
        }
        return max(1 << 20, (available - taken) / 2 / ranksOnNode)
    }
}
