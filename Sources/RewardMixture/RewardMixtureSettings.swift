package import Optimizers

/// How users are assigned to groups.
package enum AssignmentRule: String, CaseIterable, Sendable {
    /// Each user belongs to the one group that explains the user's choices best (the paper's E-step).
    case hard
    /// Each user belongs to every group in proportion to its posterior probability.
    case soft
    /// The data's own group labels, no E-step.
    case known
}

/// How users are spread over groups before the first M-step.
package enum MixtureStart: String, CaseIterable, Sendable {
    /// User number h (by id) starts in group h mod K, as in the paper's code.
    case roundRobin = "round-robin"
    /// Each user starts in a group drawn at random.
    case random
    /// Group 0 is the single reward model; each further group is seeded with the users explained worst so far.
    case residual
}

/// How a mixture of reward models is fitted.
///
/// Runs declare the keys of the section `reward` that fill it, with their bounds; the values here are the defaults.
package struct RewardMixtureSettings: Equatable, Sendable {
    /// K, how many groups to look for.
    ///
    /// With `known` assignment the number of labels is used instead.
    package var groups = 2
    /// How users are assigned.
    package var assignment = AssignmentRule.hard
    /// How the first assignment is made.
    package var start = MixtureStart.residual
    /// How many starts are tried; the one with the highest log-likelihood on `assign` comparisons is kept.
    package var restarts = 1
    /// At most this many EM iterations per start.
    package var maxIterations = 10
    /// EM stops when the total log-likelihood gains less than this fraction of itself.
    package var tolerance = 1e-4
    /// Temperature of the soft E-step in the first iteration; 1 is the exact posterior.
    package var temperature = 4.0
    /// The temperature is multiplied by this at each iteration, down to 1.
    package var temperatureDecay = 0.5
    /// AdamW and its learning rate, over the `maxSteps` of each M-step; each group's gradient is clipped by itself.
    package var optimizer = OptimizerSettings(learningRate: 1e-4, warmupSteps: 10)
    /// Comparisons per group and step, over all ranks.
    package var batchComparisons = 32
    /// A group's budget: at most this many steps per M-step.
    package var maxSteps = 200
    /// Steps between two looks at the validation loss.
    package var evaluateEvery = 10
    /// A group stops after this many looks in a row without a new lowest validation loss.
    package var patience = 3
    /// Tokens per forward pass; a longer comparison travels alone.
    package var microBatchTokens = 4096
    /// Seed of the start and of the order of comparisons.
    package var seed: UInt64 = 0

    /// The defaults above.
    package init() {}
}
