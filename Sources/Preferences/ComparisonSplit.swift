import Randomness

/// Parts of each user's comparisons.
package struct SplitFractions: Equatable, Sendable {
    /// Part of all comparisons that only the E-step sees.
    package var assign: Double
    /// Part of all comparisons that only evaluation sees.
    package var test: Double
    /// Part of the remaining ones that decides when training stops.
    package var validation: Double

    /// States the parts; fitting takes what is left.
    package init(assign: Double = 1.0 / 3, test: Double = 0.2, validation: Double = 0.15) {
        precondition(
            assign >= 0 && test >= 0 && assign + test < 1 && 0..<1 ~= validation,
            "fractions \(assign), \(test), \(validation) leave nothing to fit"
        )
        self.assign = assign
        self.test = test
        self.validation = validation
    }
}

/// Which of a user's comparisons serve what, as indices in ascending order; disjoint, together all of them.
package struct ComparisonSplit: Equatable, Sendable {
    /// Gradients.
    package var fit: [Int]
    /// Early stopping.
    package var validation: [Int]
    /// The E-step.
    package var assign: [Int]
    /// Evaluation.
    package var test: [Int]

    /// States a split; empty parts may be left out.
    package init(fit: [Int] = [], validation: [Int] = [], assign: [Int] = [], test: [Int] = []) {
        self.fit = fit
        self.validation = validation
        self.assign = assign
        self.test = test
    }
}

/// Splits a user's comparisons at random, by seed, user id and prompts alone: the order of users has no part in it.
///
/// Comparisons of one prompt stay together, so that no prompt is both trained on and tested; only where that leaves
/// nothing to fit (a user with one prompt) they are split one by one. Of few comparisons the first goes to `assign`
/// (without it the user has no group) and the second to `fit`; the fractions hold as closely as whole prompts allow.
package func splitComparisons(
    of user: User<TokenizedComparison>,
    fractions: SplitFractions,
    seed: UInt64
) -> ComparisonSplit {
    let promptHashes = user.comparisons.map(\.promptHash)
    let split = deal(user.id, promptHashes, keepingPromptsTogether: true, fractions, seed)
    guard split.fit.isEmpty, promptHashes.count > 1 else { return split }
    return deal(user.id, promptHashes, keepingPromptsTogether: false, fractions, seed)
}

private func deal(
    _ user: String,
    _ promptHashes: [UInt64],
    keepingPromptsTogether: Bool,
    _ fractions: SplitFractions,
    _ seed: UInt64
) -> ComparisonSplit {
    // Equal keys draw equal numbers, so sorting by them puts the comparisons of a prompt side by side.
    let keys = promptHashes.indices.map { keepingPromptsTogether ? promptHashes[$0] : UInt64($0) }
    let random = keys.map { key in
        var stream = CounterRandom(
            seed: seed,
            purpose: .split,
            step: Int(truncatingIfNeeded: key),
            item: Int(truncatingIfNeeded: stableHash(user))
        )
        return stream.next()
    }
    let order = keys.indices.sorted { (random[$0], keys[$0], $0) < (random[$1], keys[$1], $1) }

    let count = order.count
    let assign = fractions.assign > 0 ? max(1, Int((Double(count) * fractions.assign).rounded())) : 0
    let test = max(0, min(Int((Double(count) * fractions.test).rounded()), count - assign - 1))
    let validation = Int((Double(max(0, count - assign - test)) * fractions.validation).rounded(.down))

    var split = ComparisonSplit()
    var position = 0
    while position < count {
        var end = position + 1
        while end < count, keys[order[end]] == keys[order[position]] { end += 1 }
        // A prompt's comparisons go where the first of them falls.
        switch position {
        case ..<assign: split.assign += order[position..<end]
        case ..<(count - test - validation): split.fit += order[position..<end]
        case ..<(count - test): split.validation += order[position..<end]
        default: split.test += order[position..<end]
        }
        position = end
    }
    split.fit.sort()
    split.validation.sort()
    split.assign.sort()
    split.test.sort()
    return split
}

/// Holds whole users out, to measure how well new users are assigned: `round(fraction · users)` of them, at least one
/// stays.
///
/// The choice depends on seed and ids alone. Both lists are in the order given.
package func holdOutUsers(
    _ users: [User<TokenizedComparison>],
    fraction: Double,
    seed: UInt64
) -> (kept: [User<TokenizedComparison>], heldOut: [User<TokenizedComparison>]) {
    precondition(0..<1 ~= fraction, "fraction \(fraction) of users outside 0..<1")
    let keys = users.map { user in
        var stream = CounterRandom(
            seed: seed,
            purpose: .split,
            step: -1,
            item: Int(truncatingIfNeeded: stableHash(user.id))
        )
        return stream.next()
    }
    let count = min(Int((Double(users.count) * fraction).rounded()), max(0, users.count - 1))
    let heldOut = Set(
        users.indices.sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : precedes(users[$0].id, users[$1].id) }[
            ..<count
        ]
    )
    return (
        users.indices.filter { !heldOut.contains($0) }.map { users[$0] },
        users.indices.filter { heldOut.contains($0) }.map { users[$0] }
    )
}
