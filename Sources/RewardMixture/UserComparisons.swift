/// One comparison as token ids: prompt and response, without padding.
package struct TokenComparison: Hashable, Sendable {
    /// Prompt and chosen response.
    package let chosen: [Int32]
    /// Prompt and rejected response.
    package let rejected: [Int32]
    /// How many tokens both begin with: the prompt, and what the responses have in common; `rejected` keeps one at
    /// least.
    package let sharedTokens: Int

    /// Both sequences have at least one token.
    package init(chosen: [Int32], rejected: [Int32]) {
        self.chosen = chosen
        self.rejected = rejected
        sharedTokens = min(zip(chosen, rejected).prefix { $0 == $1 }.count, rejected.count - 1)
    }

    /// Tokens of a pass over it.
    package var distinctTokens: Int { chosen.count + rejected.count - sharedTokens }
}

/// A user's comparisons, split by what they are used for.
package struct UserComparisons<Comparison> {
    /// Unique over all ranks.
    package let id: String
    /// The data's own group label: read by `known` assignment, otherwise never.
    package let group: String?
    /// The shard that the user belongs to; all users of a shard are on one rank.
    package let shard: Int
    /// Comparisons that gradients are computed on.
    package let fit: [Comparison]
    /// Comparisons that decide when training stops.
    package let validation: [Comparison]
    /// Comparisons that the E-step reads.
    package let assign: [Comparison]
    /// Comparisons that accuracy is computed on: neither training nor assignment sees them.
    package let test: [Comparison]

    /// A user.
    package init(
        id: String,
        group: String?,
        shard: Int,
        fit: [Comparison],
        validation: [Comparison],
        assign: [Comparison],
        test: [Comparison]
    ) {
        self.id = id
        self.group = group
        self.shard = shard
        self.fit = fit
        self.validation = validation
        self.assign = assign
        self.test = test
    }
}

extension UserComparisons: Sendable where Comparison: Sendable {}

/// What every rank knows of a user: all but the comparisons.
package struct UserInfo: Equatable, Codable, Sendable {
    /// The user's id.
    package let id: String
    /// The data's own group label.
    package let group: String?
    /// The user's shard.
    package let shard: Int
    /// How many comparisons there are of each use.
    package let fitCount, validationCount, assignCount, testCount: Int

    /// All but the comparisons of a user.
    package init<Comparison>(_ user: UserComparisons<Comparison>) {
        id = user.id
        group = user.group
        shard = user.shard
        fitCount = user.fit.count
        validationCount = user.validation.count
        assignCount = user.assign.count
        testCount = user.test.count
    }
}
