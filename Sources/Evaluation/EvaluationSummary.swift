/// What `evaluation.json` holds, in the order in which it is written.
package struct EvaluationSummary: Equatable, Sendable {
    /// How many held-out prompts the policies answered.
    package var prompts: Int
    /// The policy that the others' worst-off groups are compared with: `maxmin`, or the first objective without it.
    package var baseline: String
    /// Each policy, in the order of the configuration.
    package var policies: [PolicyEvaluation]
    /// Each reward model: `group-0`…, `single`, and the models of the known groups where they were fitted.
    package var rewards: [RewardEvaluation]
    /// Share of users in the group of their label; nil where the data names no groups.
    package var assignmentAgreement: Double?
    /// What speaks against a reward model or a judge, one line each.
    package var warnings: [String]
    /// What a language model that judged took; nil without one.
    package var llm: LLMUse?

    /// States the results.
    package init(
        prompts: Int,
        baseline: String,
        policies: [PolicyEvaluation],
        rewards: [RewardEvaluation],
        assignmentAgreement: Double?,
        warnings: [String] = [],
        llm: LLMUse? = nil
    ) {
        self.prompts = prompts
        self.baseline = baseline
        self.policies = policies
        self.rewards = rewards
        self.assignmentAgreement = assignmentAgreement
        self.warnings = warnings
        self.llm = llm
    }
}

/// What a language model took to judge, and how far its answers agree with themselves.
package struct LLMUse: Equatable, Sendable {
    /// Its name at the endpoint.
    package var model: String
    /// Requests sent, and answers that were there before.
    package var requests: Int
    package var cached: Int
    /// Tokens of requests and of answers, as the endpoint counts them.
    package var promptTokens: Int
    package var completionTokens: Int
    /// In the currency of the configuration's prices; nil without prices.
    package var cost: Double?
    /// Pairs of different responses that were decided, and those of which the two orders say opposite things.
    package var pairs: Int
    package var contradicted: Int
    /// Questions without an answer.
    package var unanswered: Int

    /// States what was used.
    package init(
        model: String,
        requests: Int,
        cached: Int,
        promptTokens: Int,
        completionTokens: Int,
        cost: Double?,
        pairs: Int,
        contradicted: Int,
        unanswered: Int
    ) {
        self.model = model
        self.requests = requests
        self.cached = cached
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cost = cost
        self.pairs = pairs
        self.contradicted = contradicted
        self.unanswered = unanswered
    }
}

/// One policy's results.
package struct PolicyEvaluation: Equatable, Sendable {
    /// The objective that it was trained for, `reference`, or `best-of-4` and the like.
    package var name: String
    /// Win rates by each kind of judge, true tastes first where there are any: the first are the headline.
    package var judges: [JudgeEstimates]
    /// KL(π ‖ π_ref) a response, in nats.
    package var kl: Double
    /// Whether the KL is no more than that, as is known of best of n.
    package var klIsBound: Bool
    /// The KL at which its training was to end; nil: at none.
    package var maxKL: Double?
    /// Whether its training ended there, within a tenth; nil where it was to end at none.
    package var matchesMaxKL: Bool?
    /// Mean response tokens.
    package var meanTokens: Double
    /// A few samples, for people.
    package var samples: [ShownSample]

    /// States the results.
    package init(
        name: String,
        judges: [JudgeEstimates],
        kl: Double,
        klIsBound: Bool = false,
        maxKL: Double? = nil,
        matchesMaxKL: Bool? = nil,
        meanTokens: Double,
        samples: [ShownSample]
    ) {
        self.name = name
        self.judges = judges
        self.kl = kl
        self.klIsBound = klIsBound
        self.maxKL = maxKL
        self.matchesMaxKL = matchesMaxKL
        self.meanTokens = meanTokens
        self.samples = samples
    }

    /// Win rate of each group against the reference by the first judge.
    package var winRate: [GroupEstimate] { judges.first?.winRate ?? [] }

    /// Win rate of each group against the single-reward policy by the first judge.
    package var winRateAgainstSingle: [GroupEstimate] { judges.first?.winRateAgainstSingle ?? [] }

    /// The group with the lowest win rate, the first of equals.
    package var worstGroup: String? { judges.first?.worstGroup }
}

/// A policy's response to a prompt that people are shown, with what the groups think of it.
package struct ShownSample: Equatable, Sendable {
    /// The prompt's text.
    package var prompt: String
    /// The response's text.
    package var response: String
    /// Its utility for each group by the first judge.
    package var utilities: [(group: String, value: Double)]

    /// States a response.
    package init(prompt: String, response: String, utilities: [(group: String, value: Double)]) {
        self.prompt = prompt
        self.response = response
        self.utilities = utilities
    }

    /// Whether both say the same.
    package static func == (a: ShownSample, b: ShownSample) -> Bool {
        a.prompt == b.prompt && a.response == b.response && a.utilities.elementsEqual(b.utilities, by: ==)
    }
}

/// A figure of one group.
package struct GroupEstimate: Equatable, Sendable {
    /// The group's name.
    package var group: String
    /// The figure.
    package var estimate: Estimate

    /// States a figure.
    package init(group: String, estimate: Estimate) {
        self.group = group
        self.estimate = estimate
    }
}

/// Win rates of all groups by one kind of judge.
package struct JudgeEstimates: Equatable, Sendable {
    /// `taste`, `reward`, `held-out` or `llm`.
    package var judge: String
    /// Against the reference.
    package var winRate: [GroupEstimate]
    /// The lowest of them.
    package var worstWinRate: Estimate
    /// How much higher that is than the baseline's, paired by prompts; nil for the baseline itself.
    package var worstLessBaseline: Estimate?
    /// Against the single-reward policy; empty where there is none.
    package var winRateAgainstSingle: [GroupEstimate]

    /// States the figures.
    package init(
        judge: String,
        winRate: [GroupEstimate],
        worstWinRate: Estimate,
        worstLessBaseline: Estimate?,
        winRateAgainstSingle: [GroupEstimate]
    ) {
        self.judge = judge
        self.winRate = winRate
        self.worstWinRate = worstWinRate
        self.worstLessBaseline = worstLessBaseline
        self.winRateAgainstSingle = winRateAgainstSingle
    }

    /// The group with the lowest win rate, the first of equals.
    package var worstGroup: String? {
        winRate.min { $0.estimate.mean < $1.estimate.mean }?.group
    }
}

/// A reward model's accuracy on the test comparisons of each group's users.
package struct RewardEvaluation: Equatable, Sendable {
    /// `group-0`, `single`, `known-NAME`.
    package var name: String
    /// Accuracy for each group of users, by true label.
    package var accuracy: [GroupEstimate]

    /// States the figures.
    package init(name: String, accuracy: [GroupEstimate]) {
        self.name = name
        self.accuracy = accuracy
    }
}
