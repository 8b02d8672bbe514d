package import Collectives
import Failures
package import LanguageModels

/// Raw rewards of full sequences (prompt and response): reward models × sequences, K groups first, then the single
/// model if the task has one.
package typealias RewardFunction = (PackedSequences) throws -> [[Float]]

/// What a policy is trained on and for; the settings say how.
package struct PolicyTask {
    /// Token ids of all prompts of the run, on every rank; prompt p belongs to shard p mod S.
    package var prompts: [[Int32]]
    /// Ends a response; nil: only length does.
    package var endOfText: Int32?
    /// Size of each of the K groups (users, or any positive measure).
    package var groupSizes: [Double]
    /// The rewards' common origin and unit, one entry for each row that `rewards` gives.
    package var calibration: Calibration
    /// With `regret`, F*_u of each group's own policy; else empty.
    package var ownUtilities: [Double]
    /// The reward models.
    package var rewards: RewardFunction
    /// Keys all randomness.
    package var seed: UInt64
    /// How prompts are split.
    package var shards: Shards

    /// Describes a task.
    package init(
        prompts: [[Int32]],
        endOfText: Int32?,
        groupSizes: [Double],
        calibration: Calibration,
        ownUtilities: [Double] = [],
        rewards: @escaping RewardFunction,
        seed: UInt64,
        shards: Shards
    ) {
        self.prompts = prompts
        self.endOfText = endOfText
        self.groupSizes = groupSizes
        self.calibration = calibration
        self.ownUtilities = ownUtilities
        self.rewards = rewards
        self.seed = seed
        self.shards = shards
    }

    /// Throws where no training is possible.
    func validate(_ settings: PolicySettings) throws {
        try validatePrompts(prompts, shards: shards)
        let rows = calibration.means.count
        let needed = groupSizes.count + (settings.objective == .single ? 1 : 0)
        guard !groupSizes.isEmpty, rows >= needed else {
            throw Failure(
                .configuration,
                "the objective needs \(needed) calibrated reward models, not \(rows)",
                at: "policy.objectives"
            )
        }
    }
}

/// Throws unless every shard has a prompt and every prompt a token.
func validatePrompts(_ prompts: [[Int32]], shards: Shards) throws {
    guard prompts.count >= shards.count else {
        throw Failure(
            .badData,
            "\(prompts.count) prompts for \(shards.count) shards; give more prompts or set fewer shards",
            at: "data.prompts"
        )
    }
    guard let empty = prompts.firstIndex(where: \.isEmpty) else { return }
    throw Failure(.badData, "prompt \(empty + 1) has no token", at: "data.prompts")
}
