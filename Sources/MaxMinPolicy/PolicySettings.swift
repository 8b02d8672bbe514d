internal import Failures
public import Optimizers

/// How a policy is trained (design.md §5).
///
/// Flat: the recipe fills it from the configuration's section `policy`.
public struct PolicySettings: Equatable, Sendable {
    /// How advantages are estimated.
    public enum Algorithm: String, CaseIterable, Sendable {
        /// GAE with a value head (Schulman et al., arXiv 1506.02438 and 1707.06347).
        case ppo
        /// Leave-one-out over the samples of a prompt, no critic (Ahmadian et al., arXiv 2402.14740).
        case rloo
    }

    /// How the groups' rewards become one.
    public enum Objective: String, CaseIterable, Sendable {
        /// All weight on the worst-off group, smoothed over steps (arXiv 2402.08925, Algorithm 1).
        case maxmin
        /// w ∝ exp(−F/temperature).
        case softmin
        /// w ← w·exp(−rate·F), normalised: the distributionally robust form (arXiv 1911.08731).
        case mirror
        /// Maximises Σ log(gain over the reference): w ∝ 1/gain.
        case nash
        /// Maximises Σ gain^(1−α)/(1−α): w ∝ gain^(−α).
        case alphaFair = "alpha-fair"
        /// Equal weights.
        case utilitarian
        /// Weights by group size.
        case proportional
        /// Each response earns the least of its groups' rewards: E[min r], where the paper says min E[r].
        case perResponse = "per-response"
        /// The baseline: the reward model fitted to all users.
        case single
    }

    /// How β moves.
    public enum KLControl: String, CaseIterable, Sendable { case fixed, adaptive }

    /// Where advantages come from.
    public var algorithm = Algorithm.rloo
    /// What the groups' rewards are combined into.
    public var objective = Objective.maxmin
    /// Price of a nat of KL(π ‖ π_ref), in calibrated reward; the first value where `klControl` is adaptive.
    public var beta: Float = 0.05
    /// Whether β is held or adapted to `klTarget`.
    public var klControl = KLControl.fixed
    /// Adaptive control: nats per response to hold.
    public var klTarget: Float = 6
    /// Adaptive control: responses over which β moves by about the relative error.
    public var klHorizon: Float = 10_000
    /// Rollouts and updates.
    public var steps = 60
    /// Prompts of a step, over all shards.
    public var promptsPerStep = 16
    /// Responses to each of them.
    public var samplesPerPrompt = 4
    /// Tokens of a response, at most.
    public var maxNewTokens = 56
    /// Softmax temperature of the policy, in sampling and in scoring; the reference is always scored at 1.
    public var temperature: Float = 1
    /// Peak learning rate.
    public var learningRate: Float = 5e-5
    /// How the learning rate runs after warm-up.
    public var schedule = ScheduleShape.constant
    /// Steps of linear warm-up.
    public var warmupSteps = 0
    /// Passes over the rollouts of a step.
    public var epochs = 1
    /// Optimizer updates an epoch.
    public var minibatches = 1
    /// Ratio clip ε: π/π_old beyond [1 − ε, 1 + ε] earns nothing more.
    public var clip: Float = 0.2
    /// Value clip: a value moves at most this far from the old one within a step, as far as the loss sees.
    public var valueClip: Float = 0.2
    /// Weight of the value loss.
    public var valueCoefficient: Float = 0.5
    /// Discount per token.
    public var gamma: Float = 1
    /// GAE's λ.
    public var lambda: Float = 0.95
    /// PPO: advantages of all ranks get mean 0 and variance 1.
    public var whiten = true
    /// Taken from the reward of a response without end-of-text.
    public var missingEOSPenalty: Float = 0
    /// A step's updates end when the new policy is more than this many nats a token from the one that sampled; 0: never.
    public var targetKL: Float = 0
    /// Consecutive steps with non-finite numbers that end the run.
    public var maxBadSteps = 3
    /// Steps in which the memory of past weights halves (`maxmin`, `softmin`, `nash`, `alpha-fair`); 0: no memory.
    ///
    /// In a simulation of 60 steps with two conflicting groups (correlation −0.3 to −0.6), the worst-off group's final win
    /// rate is 0.03 to 0.07 higher with 4 to 16 than without memory, where the weights jump from group to group.
    public var halfLife: Float = 8
    /// `softmin`: temperature, in calibrated reward.
    ///
    /// In the same simulation the worst-off group gains with the temperature up to 0.5 at least.
    public var softminTemperature: Float = 0.5
    /// `mirror`: rate η.
    ///
    /// The policy answers about ten steps late: in the same simulation a rate of 0.1 swings far less than 0.5.
    public var mirrorRate: Float = 0.1
    /// `alpha-fair`: α; 0 is utilitarian, 1 is `nash`, large tends to `maxmin`.
    public var alpha: Float = 2
    /// λ: share of equal weights blended into the objective's own (`single` excepted).
    public var nominalMix: Float = 0
    /// Tokens in one forward pass, at most (a longer sequence goes alone).
    public var microBatchTokens = 4096

    /// The defaults.
    public init() {}

    /// The learning rate over the steps.
    public var rates: Schedule {
        Schedule(shape: schedule, peak: learningRate, warmupSteps: warmupSteps, totalSteps: steps)
    }

    /// Throws `Failure(.configuration)` naming the first key that makes no sense.
    public func validate() throws {
        func require(_ holds: Bool, _ key: String, _ rule: String) throws {
            if !holds { throw Failure(.configuration, "must be \(rule)", at: "policy.\(key)") }
        }
        try require(beta >= 0 && beta.isFinite, "beta", "a finite number, 0 or more")
        try require(klTarget > 0, "kl_target", "above 0")
        try require(klHorizon > 0, "kl_horizon", "above 0")
        try require(steps >= 0, "steps", "0 or more")
        try require(promptsPerStep >= 1, "prompts_per_step", "1 or more")
        try require(samplesPerPrompt >= 1, "samples_per_prompt", "1 or more")
        try require(algorithm == .ppo || samplesPerPrompt >= 2, "samples_per_prompt", "2 or more with algorithm rloo")
        try require(maxNewTokens >= 1, "max_new_tokens", "1 or more")
        try require(temperature > 0 && temperature.isFinite, "temperature", "above 0")
        try require(learningRate >= 0 && learningRate.isFinite, "learning_rate", "a finite number, 0 or more")
        try require(epochs >= 1, "epochs", "1 or more")
        try require(minibatches >= 1, "minibatches", "1 or more")
        try require(clip > 0, "clip", "above 0")
        try require(valueClip > 0, "value_clip", "above 0")
        try require(valueCoefficient >= 0, "value_coefficient", "0 or more")
        try require((0...1).contains(gamma), "gamma", "from 0 to 1")
        try require((0...1).contains(lambda), "lambda", "from 0 to 1")
        try require(maxBadSteps >= 1, "max_bad_steps", "1 or more")
        try require(halfLife >= 0, "half_life", "0 or more")
        try require(softminTemperature > 0, "softmin_temperature", "above 0")
        try require(mirrorRate >= 0, "mirror_rate", "0 or more")
        try require(alpha >= 0, "alpha", "0 or more")
        try require((0...1).contains(nominalMix), "nominal_mix", "from 0 to 1")
    }
}
