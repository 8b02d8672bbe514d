/// One comparison as token ids: prompt and response, without padding.
public struct TokenComparison: Hashable, Sendable {
    /// Prompt and chosen response.
    public let chosen: [Int32]
    /// Prompt and rejected response.
    public let rejected: [Int32]
    /// How many tokens both begin with: the prompt, and what the responses have in common; `rejected` keeps one at least.
    public let sharedTokens: Int

    /// Both sequences have at least one token.
    public init(chosen: [Int32], rejected: [Int32]) {
        self.chosen = chosen
        self.rejected = rejected
        sharedTokens = min(zip(chosen, rejected).prefix { $0 == $1 }.count, rejected.count - 1)
    }

    /// Tokens of a pass over it.
    public var distinctTokens: Int { chosen.count + rejected.count - sharedTokens }
}

/// A user's comparisons, split by what they are used for.
public struct UserComparisons<Comparison> {
    /// Unique over all ranks.
    public let id: String
    /// The data's own group label: read by `known` assignment, otherwise never.
    public let group: String?
    /// The shard that the user belongs to; all users of a shard are on one rank.
    public let shard: Int
    /// Comparisons that gradients are computed on.
    public let fit: [Comparison]
    /// Comparisons that decide when training stops.
    public let validation: [Comparison]
    /// Comparisons that the E-step reads.
    public let assign: [Comparison]
    /// Comparisons that accuracy is computed on: neither training nor assignment sees them.
    public let test: [Comparison]

    /// A user.
    public init(
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
public struct Member: Equatable, Codable, Sendable {
    /// The user's id.
    public let id: String
    /// The data's own group label.
    public let group: String?
    /// The user's shard.
    public let shard: Int
    /// How many comparisons there are of each use.
    public let fitCount, validationCount, assignCount, testCount: Int

    /// All but the comparisons of a user.
    public init<Comparison>(_ user: UserComparisons<Comparison>) {
        id = user.id
        group = user.group
        shard = user.shard
        fitCount = user.fit.count
        validationCount = user.validation.count
        assignCount = user.assign.count
        testCount = user.test.count
    }
}
