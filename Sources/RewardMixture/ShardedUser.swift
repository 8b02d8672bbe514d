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

    /// Some of the comparisons.
    func comparisons(_ indices: [Int]) -> [TokenizedComparison] { indices.map { user.comparisons[$0] } }
}

/// What every rank knows of a user: all but the comparisons.
package struct UserInfo: Equatable, Codable, Sendable {
    /// How many comparisons a part has of each use; ties told as several orders count once.
    package struct Counts: Equatable, Codable, Sendable {
        let fit, validation, assign: Double
    }

    /// The user's id.
    package let id: String
    /// The data's own group label.
    package let group: String?
    /// The user's shard.
    package let shard: Int
    /// Of each fold.
    package let folds: [Counts]
    /// Of the final training.
    package let final: Counts
    /// How many `assign` comparisons there are, of all folds, and how many of `test`; ties, which no reward could
    /// decide, are not counted.
    package let assignDecided, testCount: Int
    /// How many comparisons of `test` there are, each by its weight.
    let testWeight: Double

    /// All but the comparisons of a user.
    package init(_ user: ShardedUser) {
        func count(_ indices: [Int]) -> Double { user.comparisons(indices).reduce(0) { $0 + $1.weight } }
        func counts(_ part: ComparisonSplit.Part) -> Counts {
            Counts(fit: count(part.fit), validation: count(part.validation), assign: count(part.assign))
        }
        id = user.user.id
        group = user.user.group
        shard = user.shard
        folds = user.split.emParts.map(counts)
        final = counts(user.split.final)
        func decided(_ indices: [Int]) -> Int { user.comparisons(indices).count { $0.weight == 1 } }
        assignDecided = user.split.emParts.reduce(0) { $0 + decided($1.assign) }
        testCount = decided(user.split.test)
        testWeight = count(user.split.test)
    }

    /// How many comparisons the E-step reads.
    package var assignCount: Double { folds.reduce(0) { $0 + $1.assign } }

    /// The counts of a part.
    subscript(key: ComparisonSplit.Key) -> Counts {
        switch key {
        case .fold(let fold): folds[fold]
        case .final: final
        }
    }
}
