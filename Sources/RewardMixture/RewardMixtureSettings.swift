public import Optimizers

/// How users are assigned to groups.
public enum AssignmentRule: String, CaseIterable, Sendable {
    /// Each user belongs to the one group that explains the user's choices best (the paper's E-step).
    case hard
    /// Each user belongs to every group in proportion to its posterior probability.
    case soft
    /// The data's own group labels, no E-step.
    case known
}

/// How users are spread over groups before the first M-step.
public enum MixtureStart: String, CaseIterable, Sendable {
    /// User number h (by id) starts in group h mod K, as in the paper's code.
    case roundRobin = "round-robin"
    /// Each user starts in a group drawn at random.
    case random
    /// Group 0 is the single reward model; each further group is seeded with the users explained worst so far.
    case residual
}

/// How a mixture of reward models is fitted.
///
/// Steps and comparisons are counts; rates are per step.
public struct RewardMixtureSettings: Equatable, Sendable {
    /// K, how many groups to look for.
    ///
    /// With `known` assignment the number of labels is used instead.
    public var groups = 2
    /// How users are assigned.
    public var assignment = AssignmentRule.hard
    /// How the first assignment is made.
    public var start = MixtureStart.residual
    /// How many starts are tried; the one with the highest log-likelihood on `assign` comparisons is kept.
    public var restarts = 1
    /// At most this many EM iterations per start.
    public var maxIterations = 10
    /// EM stops when the total log-likelihood gains less than this fraction of itself.
    public var tolerance = 1e-4
    /// Temperature of the soft E-step in the first iteration; 1 is the exact posterior.
    public var temperature = 4.0
    /// The temperature is multiplied by this at each iteration, down to 1.
    public var temperatureDecay = 0.5
    /// Peak learning rate.
    public var learningRate: Float = 1e-4
    /// Course of the learning rate over `maxSteps`.
    public var schedule = ScheduleShape.constant
    /// Steps of linear warm-up at the beginning of each M-step.
    public var warmupSteps = 10
    /// AdamW's decoupled weight decay.
    public var weightDecay: Float = 0
    /// Each group's gradient is scaled down to this norm; 0: never.
    public var clipNorm: Float = 1
    /// Comparisons per group and step, over all ranks.
    public var batchComparisons = 32
    /// A group's budget: at most this many steps per M-step.
    public var maxSteps = 200
    /// Steps between two looks at the validation loss.
    public var evaluateEvery = 10
    /// A group stops after this many looks in a row without a new lowest validation loss.
    public var patience = 3
    /// Tokens per forward pass; a longer comparison travels alone.
    public var microBatchTokens = 4096
    /// Seed of the start and of the order of comparisons.
    public var seed: UInt64 = 0

    /// The defaults above.
    public init() {}
}
