package import Optimizers
import Preferences

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
    /// Each user starts in the group of the data's own label, which the E-step may find wrong.
    case labels
    /// Group 0 is the single reward model; each further group is seeded with users whose unexplained choices pull the
    /// models so far another way.
    case residual
}

/// How a mixture of reward models is fitted.
///
/// Runs declare the keys of the section `reward` that fill it, with their bounds; the values here are the defaults.
package struct RewardMixtureSettings: Equatable, Sendable {
    /// K, how many groups to look for; nil: as few as explain unseen comparisons as well as any number up to
    /// `maxGroups`.
    ///
    /// With `known` assignment the number of labels is used instead.
    package var groups: Int? = 2
    /// The most groups that are tried where K is not given.
    package var maxGroups = 4
    /// F, how many models of a group EM trains, each on all folds of the comparisons but one; 1: one model on `fit`.
    package var folds = 2
    /// The paper's way to the letter (arXiv 2402.08925, Algorithm 2, and its code): every model is trained on all
    /// comparisons but those of `test`, and the E-step reads the same ones; every group trains for as many epochs as
    /// the largest one has in `maxSteps`, whatever any validation would say; the models of the last iteration are the
    /// result.
    ///
    /// Goes with one fold and one start.
    package var paper = false
    /// How users are assigned.
    package var assignment = AssignmentRule.hard
    /// How the first assignment is made.
    package var start = MixtureStart.residual
    /// How many starts are tried; the one with the highest log-likelihood on `assign` comparisons is kept.
    package var restarts = 1
    /// At most this many EM iterations per start.
    package var maxIterations = 10
    /// A total log-likelihood counts as higher where it gains more than this fraction of itself.
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
    /// A validation looks at about this many comparisons of a group, where it has more.
    package var validationComparisons = 512
    /// A group stops after this many looks in a row without a new lowest validation loss.
    package var patience = 3
    /// Tokens per forward pass; a longer comparison travels alone.
    package var microBatchTokens = 4096
    /// Seed of the start and of the order of comparisons.
    package var seed: UInt64 = 0

    /// The defaults above.
    package init() {}

    /// The most groups that may be fitted.
    package var mostGroups: Int { groups ?? maxGroups }

    /// The parts of EM's training.
    var emParts: [ComparisonSplit.Key] { (0..<folds).map { .fold($0) } }
    /// The parts of the training after EM: beside folds, which decide how long the final models are trained.
    var finalParts: [ComparisonSplit.Key] { paper ? emParts : folds == 1 ? [.final] : emParts + [.final] }
    /// How many parts a training has at most.
    package var mostParts: Int { finalParts.count }
}
