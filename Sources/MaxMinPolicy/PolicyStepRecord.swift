/// One training step in figures, over all ranks: what `metrics.jsonl` holds of it.
public struct PolicyStepRecord: Equatable, Sendable {
    /// How long a phase took on the slowest rank, and how many tokens all ranks got through.
    public struct Phase: Equatable, Sendable {
        /// `sample`, `score`, `reward` or `update`.
        public let name: String
        /// Wall time.
        public let seconds: Double
        /// Response tokens for `sample`, prompt and response tokens otherwise, once for every epoch.
        public let tokensPerSecond: Double
    }

    /// Counts from 1.
    public var step = 0
    /// Mean raw reward under each reward model: K groups, then the single model if there is one.
    public var rawRewards: [Double] = []
    /// Mean calibrated reward, likewise.
    public var rewards: [Double] = []
    /// F_u = mean calibrated reward − β·KL, likewise.
    public var utilities: [Double] = []
    /// Weight of each group in this step's reward.
    ///
    /// `per-response`: the share of responses of which the group had the least reward; `single`: zeros.
    public var weights: [Double] = []
    /// The group of least utility in this step.
    public var worstGroup = 0
    /// Whether another group was worst off in the step before.
    public var worstGroupChanged = false
    /// Mean reward that the policy was trained on, less β·KL.
    public var objective = 0.0
    /// β of this step.
    public var beta: Float = 0
    /// KL(π ‖ π_ref) in nats per response, estimated by k1.
    public var klK1 = 0.0
    /// The same, estimated by k3.
    public var klK3 = 0.0
    /// Mean entropy of the next-token distributions, in nats.
    public var entropy = 0.0
    /// Mean tokens of a response, end-of-text included.
    public var responseTokens = 0.0
    /// Share of responses that ended by end-of-text.
    public var finished = 0.0
    /// Share of tokens whose ratio was clipped.
    public var clipFraction = 0.0
    /// Mean policy loss of a token.
    public var policyLoss = 0.0
    /// Mean value loss of a token, before its coefficient; 0 without a value head.
    public var valueLoss = 0.0
    /// k3 of the policy that sampled from the updated one in the last minibatch, nats per token.
    public var updateKL = 0.0
    /// Norm of the gradient before clipping, mean over the updates.
    public var gradientNorm = 0.0
    /// The optimizer's rate in this step.
    public var learningRate: Float = 0
    /// Optimizer updates made in this step.
    public var updates = 0
    /// Whether `target_kl` ended the updates early.
    public var stoppedEarly = false
    /// Whether numbers were not finite, so that the step (or the rest of it) was skipped.
    public var skipped = false
    /// Such steps in a row, this one included.
    public var badSteps = 0
    /// The phases, in order.
    public var phases: [Phase] = []
}
