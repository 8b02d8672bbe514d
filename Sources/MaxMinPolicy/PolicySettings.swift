package import LanguageModels
package import Optimizers

/// How a policy is trained.
///
/// Runs declare the keys of the section `policy` that fill it, with their bounds; the values here are the defaults.
package struct PolicySettings: Equatable, Sendable {
    /// How advantages are estimated.
    package enum Algorithm: String, CaseIterable, Sendable {
        /// GAE with a value head (Schulman et al., arXiv 1506.02438 and 1707.06347).
        case ppo
        /// Leave-one-out over the samples of a prompt, no critic (Ahmadian et al., arXiv 2402.14740).
        case rloo
        /// Rewards normalized over the samples of a prompt, the divergence in the loss, no critic (Shao et al., arXiv
        /// 2402.03300).
        case grpo
    }

    /// What the value heads of PPO predict.
    package enum ValueHeads: String, CaseIterable, Sendable {
        /// One head: the weighted reward, whose weights change from step to step.
        case single
        /// A head for each group: its own reward. Their weighted sum is the value.
        case perGroup = "per-group"
    }

    /// How the groups' rewards become one.
    package enum Objective: Hashable, Sendable {
        /// For the worst-off group's utility (arXiv 2402.08925, Algorithm 1): w ∝ m·exp(−F/temperature), m the mean of
        /// past weights.
        case maxmin
        /// w ∝ exp(−F/temperature).
        case softmin
        /// w ← w·exp(−rate·F), normalized: the distributionally robust form (arXiv 1911.08731).
        case mirror
        /// Maximizes Σ log(gain over the reference): w ∝ 1/gain.
        case nash
        /// Maximizes Σ gain^(1−α)/(1−α): w ∝ gain^(−α).
        case alphaFair
        /// Equal weights.
        case utilitarian
        /// Weights by group size.
        case proportional
        /// Each response earns the least of its groups' rewards: E[min r], where the paper says min E[r].
        case perResponse
        /// As `maxmin`, for the group that falls furthest short of what its own policy reached.
        case regret
        /// All weight on one group.
        case only(group: Int)
        /// The baseline: the reward model fitted to all users.
        case single
    }

    /// Where advantages come from.
    package var algorithm = Algorithm.rloo
    /// What the value heads of `ppo` predict.
    package var valueHeads = ValueHeads.single
    /// What the groups' rewards are combined into.
    package var objective = Objective.maxmin
    /// Price of a nat of KL(π ‖ π_ref), in calibrated reward.
    package var beta: Float = 0.05
    /// KL(π ‖ π_ref) at which training ends, nats per response; nil: after `steps` alone.
    package var maxKL: Double?
    /// Rollouts and updates, at most.
    package var steps = 60
    /// Prompts of a step, over all shards.
    package var promptsPerStep = 16
    /// Responses to each of them.
    package var samplesPerPrompt = 4
    /// Tokens of a response, at most.
    package var maxNewTokens = 56
    /// Softmax temperature of the policy and of the reference, in sampling and in scoring.
    package var temperature: Float = 1
    /// AdamW and its learning rate.
    package var optimizer = OptimizerSettings(learningRate: 5e-5)
    /// Passes over the rollouts of a step.
    package var epochs = 1
    /// Optimizer updates an epoch.
    package var minibatches = 1
    /// Ratio clip ε: π/π_old beyond [1 − ε, 1 + ε] earns nothing more.
    package var clip: Float = 0.2
    /// Value clip: a value moves at most this far from the old one within a step, as far as the loss sees.
    package var valueClip: Float = 0.2
    /// Weight of the value loss.
    package var valueCoefficient: Float = 0.5
    /// Discount per token.
    package var gamma: Float = 1
    /// GAE's λ.
    package var lambda: Float = 0.95
    /// PPO: advantages of all ranks get mean 0 and variance 1.
    package var whiten = true
    /// Taken from the reward of a response without end-of-text.
    package var missingEOSPenalty: Float = 0
    /// A step's updates end when the new policy is more than this many nats a token from the one that sampled; nil:
    /// never.
    package var targetKL: Float?
    /// Consecutive steps with non-finite numbers that end the run.
    package var maxBadSteps = 3
    /// Steps in which the memory of past weights halves (`maxmin`, `regret`, `softmin`, `nash`, `alpha-fair`); 0: the
    /// last step's alone.
    package var halfLife: Float = 16
    /// How far a step's weights follow its utilities, in calibrated reward (`maxmin`, `regret`, `softmin`); towards 0,
    /// all weight is on the worst-off group.
    package var weightsTemperature: Float = 0.5
    /// `mirror`: rate η.
    ///
    /// The policy answers about ten steps late: in a simulation a rate of 0.1 swings far less than 0.5.
    package var mirrorRate: Float = 0.1
    /// `alpha-fair`: α; 0 is utilitarian, 1 is `nash`, large tends to `maxmin`.
    package var alpha: Float = 2
    /// λ: share of equal weights blended into the objective's own (`single` and `only` excepted).
    package var nominalMix: Float = 0
    /// Tokens in one forward pass, at most (a longer sequence goes alone).
    package var microBatchTokens = 4096

    /// The defaults.
    package init() {}

    /// The head of a policy for so many groups.
    package func head(groups: Int) -> Head {
        switch objective {
        case _ where algorithm != .ppo: .none
        // Their reward is no weighted sum, or that of one group.
        case .single, .perResponse, .only: .value
        default: valueHeads == .perGroup ? .values(groups) : .value
        }
    }

    /// The learning rate over the steps.
    package var rates: Schedule { optimizer.rates(over: steps) }
}
