/// What `evaluation.json` holds (design.md §8), in the order in which it is written.
public struct EvaluationSummary: Equatable, Sendable {
    /// How many held-out prompts the policies answered.
    public var prompts: Int
    /// Each policy, in the order of the configuration.
    public var policies: [PolicyEvaluation]
    /// Each reward model: `group-0`…, `single`, and the models of the known groups where they were fitted.
    public var rewards: [RewardEvaluation]
    /// Share of users in the group of their label; nil where the data names no groups.
    public var assignmentAgreement: Double?
    /// What speaks against a reward model, one line each.
    public var warnings: [String]

    /// States the results.
    public init(
        prompts: Int,
        policies: [PolicyEvaluation],
        rewards: [RewardEvaluation],
        assignmentAgreement: Double?,
        warnings: [String] = []
    ) {
        self.prompts = prompts
        self.policies = policies
        self.rewards = rewards
        self.assignmentAgreement = assignmentAgreement
        self.warnings = warnings
    }
}

/// One policy's results.
public struct PolicyEvaluation: Equatable, Sendable {
    /// The objective that it was trained for, or `reference`.
    public var name: String
    /// Win rates by each kind of judge, true tastes first where there are any: the first are the headline.
    public var judges: [JudgeEstimates]
    /// KL(π ‖ π_ref) a response, in nats.
    public var kl: Double
    /// Mean response tokens.
    public var meanTokens: Double
    /// A few samples, for people.
    public var samples: [JudgedResponse]

    /// States the results.
    public init(
        name: String,
        judges: [JudgeEstimates],
        kl: Double,
        meanTokens: Double,
        samples: [JudgedResponse]
    ) {
        self.name = name
        self.judges = judges
        self.kl = kl
        self.meanTokens = meanTokens
        self.samples = samples
    }

    /// Win rate of each group against the reference by the first judge.
    public var winRate: [GroupEstimate] { judges.first?.winRate ?? [] }

    /// Win rate of each group against the single-reward policy by the first judge.
    public var winRateAgainstSingle: [GroupEstimate] { judges.first?.winRateAgainstSingle ?? [] }

    /// The group with the lowest win rate, the first of equals.
    public var worstGroup: String? {
        winRate.min { $0.estimate.mean < $1.estimate.mean }?.group
    }
}

/// A figure of one group.
public struct GroupEstimate: Equatable, Sendable {
    /// The group's name.
    public var group: String
    /// The figure.
    public var estimate: Estimate

    /// States a figure.
    public init(group: String, estimate: Estimate) {
        self.group = group
        self.estimate = estimate
    }
}

/// Win rates of all groups by one kind of judge.
public struct JudgeEstimates: Equatable, Sendable {
    /// `taste` or `reward`.
    public var judge: String
    /// Against the reference.
    public var winRate: [GroupEstimate]
    /// Against the single-reward policy; empty where there is none.
    public var winRateAgainstSingle: [GroupEstimate]

    /// States the figures.
    public init(judge: String, winRate: [GroupEstimate], winRateAgainstSingle: [GroupEstimate]) {
        self.judge = judge
        self.winRate = winRate
        self.winRateAgainstSingle = winRateAgainstSingle
    }
}

/// A reward model's accuracy on the test comparisons of each group's users.
public struct RewardEvaluation: Equatable, Sendable {
    /// `group-0`, `single`, `known-NAME`.
    public var name: String
    /// Accuracy for each group of users, by true label.
    public var accuracy: [GroupEstimate]

    /// States the figures.
    public init(name: String, accuracy: [GroupEstimate]) {
        self.name = name
        self.accuracy = accuracy
    }
}
