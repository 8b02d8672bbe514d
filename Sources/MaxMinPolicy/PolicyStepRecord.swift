/// One training step in figures, over all ranks: what `metrics.jsonl` holds of it.
package struct PolicyStepRecord: Equatable, Sendable {
    /// How long a phase took on the slowest rank, and how many tokens all ranks got through.
    package struct Phase: Equatable, Sendable {
        /// `sample`, `score`, `reward` or `update`.
        package let name: String
        /// Wall time.
        package let seconds: Double
        /// Response tokens for `sample`, prompt and response tokens otherwise, once for every epoch.
        package let tokensPerSecond: Double
    }

    /// Counts from 1.
    package var step = 0
    /// Mean raw reward under each reward model: K groups, then the single model if there is one.
    package var rawRewards: [Double] = []
    /// Mean calibrated reward, likewise.
    package var rewards: [Double] = []
    /// How the calibrated rewards are spread, likewise.
    package var histograms: [RewardHistogram] = []
    /// F_u = mean calibrated reward − β·KL, likewise.
    package var utilities: [Double] = []
    /// Weight of each group in this step's reward.
    ///
    /// `per-response`: the share of responses of which the group had the least reward; `single`: zeros.
    package var weights: [Double] = []
    /// The group of least utility in this step.
    package var worstGroup = 0
    /// Whether another group was worst off in the step before.
    package var worstGroupChanged = false
    /// Mean reward that the policy was trained on, less β·KL.
    package var objective = 0.0
    /// β of this step.
    package var beta: Float = 0
    /// KL(π ‖ π_ref) in nats per response: the mean over the sampled responses of what the next-token distributions
    /// diverge at their tokens.
    package var kl = 0.0
    /// The same, smoothed over the last steps.
    package var klSmoothed = 0.0
    /// Whether that reached `max_kl`: the policy is not updated any more.
    package var reachedMaxKL = false
    /// Mean entropy of the next-token distributions, in nats.
    package var entropy = 0.0
    /// Mean tokens of a response, end-of-text included.
    package var responseTokens = 0.0
    /// Share of responses that ended by end-of-text.
    package var finished = 0.0
    /// Share of tokens whose ratio was clipped.
    package var clipFraction = 0.0
    /// Mean policy loss of a token.
    package var policyLoss = 0.0
    /// Mean value loss of a token, before its coefficient; 0 without a value head.
    package var valueLoss = 0.0
    /// k3 of the policy that sampled from the updated one in the last minibatch, nats per token.
    package var updateKL = 0.0
    /// Norm of the gradient before clipping, mean over the updates.
    package var gradientNorm = 0.0
    /// The optimizer's rate in this step.
    package var learningRate: Float = 0
    /// Optimizer updates made in this step.
    package var updates = 0
    /// Whether `target_kl` ended the updates early.
    package var stoppedEarly = false
    /// Whether numbers were not finite, so that the step (or the rest of it) was skipped.
    package var skipped = false
    /// Such steps in a row, this one included.
    package var badSteps = 0
    /// The phases, in order.
    package var phases: [Phase] = []
}
