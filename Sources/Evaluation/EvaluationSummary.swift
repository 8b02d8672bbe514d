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

    /// States the results.
    public init(
        prompts: Int,
        policies: [PolicyEvaluation],
        rewards: [RewardEvaluation],
        assignmentAgreement: Double?
    ) {
        self.prompts = prompts
        self.policies = policies
        self.rewards = rewards
        self.assignmentAgreement = assignmentAgreement
    }
}

/// One policy's results.
public struct PolicyEvaluation: Equatable, Sendable {
    /// The objective that it was trained for, or `reference`.
    public var name: String
    /// Win rate against the reference by true taste, for each group (by learned reward where there is no taste).
    public var winRate: [GroupEstimate]
    /// The same against the single-reward policy; empty where there is none.
    public var winRateAgainstSingle: [GroupEstimate]
    /// Win rate against the reference by each further judge.
    public var winRateByJudge: [JudgeEstimates]
    /// KL(π ‖ π_ref) a response, in nats.
    public var kl: Double
    /// Mean response tokens.
    public var meanTokens: Double
    /// A few samples, for people.
    public var samples: [JudgedResponse]

    /// States the results.
    public init(
        name: String,
        winRate: [GroupEstimate],
        winRateAgainstSingle: [GroupEstimate],
        winRateByJudge: [JudgeEstimates],
        kl: Double,
        meanTokens: Double,
        samples: [JudgedResponse]
    ) {
        self.name = name
        self.winRate = winRate
        self.winRateAgainstSingle = winRateAgainstSingle
        self.winRateByJudge = winRateByJudge
        self.kl = kl
        self.meanTokens = meanTokens
        self.samples = samples
    }

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
    /// The figure of each group.
    public var groups: [GroupEstimate]

    /// States the figures.
    public init(judge: String, groups: [GroupEstimate]) {
        self.judge = judge
        self.groups = groups
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
