package import Preferences

/// A user, the shard that owns their data, and what each of their comparisons is used for.
package struct ShardedUser: Sendable {
    /// Who compared, and what.
    package let user: User<TokenizedComparison>
    /// All users of a shard are on one rank.
    package let shard: Int
    /// Indices of `user.comparisons`.
    package let split: ComparisonSplit

    /// Places a user.
    package init(_ user: User<TokenizedComparison>, shard: Int, split: ComparisonSplit) {
        self.user = user
        self.shard = shard
        self.split = split
    }

    /// The comparisons of one use.
    func comparisons(_ use: KeyPath<ComparisonSplit, [Int]>) -> [TokenizedComparison] {
        split[keyPath: use].map { user.comparisons[$0] }
    }
}

/// What every rank knows of a user: all but the comparisons.
package struct UserInfo: Equatable, Codable, Sendable {
    /// The user's id.
    package let id: String
    /// The data's own group label.
    package let group: String?
    /// The user's shard.
    package let shard: Int
    /// How many comparisons there are of each use; ties told as several orders count once.
    package let fitCount, validationCount, assignCount: Double
    /// How many `test` comparisons there are; ties, which no reward could decide, are not counted.
    package let testCount: Int

    /// All but the comparisons of a user.
    package init(_ user: ShardedUser) {
        func count(_ use: KeyPath<ComparisonSplit, [Int]>) -> Double {
            user.comparisons(use).reduce(0) { $0 + $1.weight }
        }
        id = user.user.id
        group = user.user.group
        shard = user.shard
        fitCount = count(\.fit)
        validationCount = count(\.validation)
        assignCount = count(\.assign)
        testCount = user.comparisons(\.test).count { $0.weight == 1 }
    }
}
