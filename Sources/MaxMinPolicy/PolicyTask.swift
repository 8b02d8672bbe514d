public import Collectives
internal import Failures
public import LanguageModels

/// Raw rewards of full sequences (prompt and response): reward models × sequences, K groups first, then the single model
/// if the task has one.
public typealias RewardFunction = (PackedSequences) throws -> [[Float]]

/// What a policy is trained on and for; the settings say how.
public struct PolicyTask {
    /// Token ids of all prompts of the run, on every rank; prompt p belongs to shard p mod S.
    public var prompts: [[Int32]]
    /// Ends a response; nil: only length does.
    public var endOfText: Int32?
    /// Size of each of the K groups (users, or any positive measure).
    public var groupSizes: [Double]
    /// The rewards' common origin and unit, one entry for each row that `rewards` gives.
    public var calibration: Calibration
    /// The reward models.
    public var rewards: RewardFunction
    /// Keys all randomness.
    public var seed: UInt64
    /// How prompts are split.
    public var shards: Shards

    /// Describes a task.
    public init(
        prompts: [[Int32]],
        endOfText: Int32?,
        groupSizes: [Double],
        calibration: Calibration,
        rewards: @escaping RewardFunction,
        seed: UInt64,
        shards: Shards
    ) {
        self.prompts = prompts
        self.endOfText = endOfText
        self.groupSizes = groupSizes
        self.calibration = calibration
        self.rewards = rewards
        self.seed = seed
        self.shards = shards
    }

    /// Throws where no training is possible.
    func validate(_ settings: PolicySettings) throws {
        try settings.validate()
        try validatePrompts(prompts, shards: shards)
        let rows = calibration.means.count
        let needed = groupSizes.count + (settings.objective == .single ? 1 : 0)
        guard !groupSizes.isEmpty, rows >= needed else {
            throw Failure(
                .configuration,
                "objective \(settings.objective.rawValue) needs \(needed) calibrated reward models, not \(rows)",
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
