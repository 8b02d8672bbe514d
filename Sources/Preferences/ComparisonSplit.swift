package import Failures
import Randomness
import StrictJSON
package import Text

/// What stays together when comparisons are split.
package enum SplitUnit: String, CaseIterable, Sendable {
    /// All comparisons of a prompt, whoever made them: what two users share is on one side.
    case prompt
    /// Of each user alone the comparisons of a prompt.
    case user
}

/// How comparisons are split.
package struct SplitSettings: Equatable, Sendable {
    /// What stays together.
    package var unit = SplitUnit.prompt
    /// F, the folds of EM; 1: one split of `fit`, `validation` and `assign`.
    package var folds = 2
    /// With one fold, whether every comparison but those of `test` is of `fit` and of `assign`, as in the paper.
    package var sharesAll = false
    /// Part of all comparisons that only evaluation sees.
    package var test = 0.2
    /// With one fold, part of all comparisons that only the E-step sees.
    package var assign = 0.333
    /// With one fold, part of all comparisons that decides when training stops.
    package var validation = 0.05

    /// The defaults above.
    package init() {}
}

/// Which of a user's comparisons serve what, as indices.
package struct ComparisonSplit: Equatable, Sendable {
    /// What one model of a group is made with.
    package struct Part: Equatable, Sendable {
        /// Gradients.
        package var fit: [Int]
        /// When training stops, and how sure the model may be.
        package var validation: [Int]
        /// What the E-step asks this model.
        package var assign: [Int]

        /// States a part; what is empty may be left out.
        package init(fit: [Int] = [], validation: [Int] = [], assign: [Int] = []) {
            self.fit = fit
            self.validation = validation
            self.assign = assign
        }
    }

    /// A part of EM, or of the training after it.
    package enum Key: Equatable, Sendable {
        /// The model of a group that has not seen this fold.
        case fold(Int)
        /// The model of a group that is kept.
        case final
    }

    /// One part for each model that EM has of a group.
    ///
    /// With several folds, each comparison but those of `test` is `assign` of one part, and `fit` of the others: every
    /// E-step asks a model that has not seen the comparison, and yet all of them teach (cross-fitting). With one fold,
    /// `fit`, `validation` and `assign` are disjoint.
    package var emParts: [Part]
    /// Of the models that are trained when EM has ended: all but `test` and, with one fold, `validation`.
    package var final: Part
    /// Evaluation.
    package var test: [Int]

    /// Folds of which each is `assign` of its own part.
    package init(folds: [[Int]], test: [Int] = []) {
        emParts = folds.indices.map { fold in
            let others = folds.indices.filter { $0 != fold }.flatMap { folds[$0] }.sorted()
            return Part(fit: others, validation: folds[fold], assign: folds[fold])
        }
        final = Part(fit: folds.joined().sorted())
        self.test = test
    }

    /// One fold.
    package init(fit: [Int] = [], validation: [Int] = [], assign: [Int] = [], test: [Int] = []) {
        emParts = [Part(fit: fit, validation: validation, assign: assign)]
        final = Part(fit: fit + assign, validation: validation)
        self.test = test
    }

    /// One fold, all of which is both trained on and asked.
    package init(sharing all: [Int], test: [Int]) {
        emParts = [Part(fit: all, assign: all)]
        final = Part(fit: all)
        self.test = test
    }

    /// A part.
    package subscript(key: Key) -> Part {
        switch key {
        case .fold(let fold): emParts[fold]
        case .final: final
        }
    }
}

/// Splits all users' comparisons at random, by seed, ids and prompts alone: the order of users has no part in it.
///
/// - Returns: a split for each user.
/// - Throws: `Failure(.badData)` where there are too few prompts to split by.
package func splitComparisons(
    of users: [User<TokenizedComparison>],
    _ settings: SplitSettings,
    seed: UInt64
) throws(Failure) -> [ComparisonSplit] {
    guard settings.unit == .prompt else { return users.map { splitWithin($0, settings, seed: seed) } }
    let owners = users.indices.flatMap { Array(repeating: $0, count: users[$0].comparisons.count) }
    let firsts = users.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.comparisons.count) }
    let prompts = users.flatMap { $0.comparisons.map(\.promptHash) }
    let parts = deal(prompts, item: 0, settings, seed: seed)
    let needed = parts.folds.isEmpty ? [parts.fit, parts.assign] : parts.folds
    guard !needed.contains(where: \.isEmpty) else {
        throw Failure(
            .badData,
            "\(Set(prompts).count) different prompts are too few to split all users' comparisons by; take "
                + "data.split: user",
            at: "data.split"
        )
    }
    func own(_ part: [Int]) -> [[Int]] {
        part.reduce(into: users.map { _ in [] }) { $0[owners[$1]].append($1 - firsts[owners[$1]]) }
    }
    let (fit, validation, assign, test) = (own(parts.fit), own(parts.validation), own(parts.assign), own(parts.test))
    let folds = parts.folds.map(own)
    return users.indices.map { user in
        let own = DealtComparisons(
            folds: folds.map { $0[user] },
            fit: fit[user],
            validation: validation[user],
            assign: assign[user],
            test: test[user]
        )
        return own.split(settings)
    }
}

/// Splits one user's comparisons.
///
/// Comparisons of one prompt stay together, so that no prompt is both trained on and tested; only where that leaves a
/// fold or `fit` empty (a user with one prompt) they are split one by one. With one fold, of few comparisons the first
/// goes to `assign` (without it the user has no group) and the second to `fit`; the fractions hold as closely as whole
/// prompts allow.
private func splitWithin(
    _ user: User<TokenizedComparison>,
    _ settings: SplitSettings,
    seed: UInt64
) -> ComparisonSplit {
    let item = Int(truncatingIfNeeded: stableHash(user.id))
    var parts = deal(user.comparisons.map(\.promptHash), item: item, settings, seed: seed)
    let isLacking = parts.folds.isEmpty ? parts.fit.isEmpty : parts.folds.contains(where: \.isEmpty)
    if isLacking, user.comparisons.count > 1 {
        // The orders of a tie, and what was compared twice, stay together.
        parts = deal(user.comparisons.map(\.responsesHash), item: item, settings, seed: seed)
    }
    return parts.split(settings)
}

/// Indices of comparisons by use, ascending: `folds`, or `fit`, `validation` and `assign`.
private struct DealtComparisons {
    var folds: [[Int]] = []
    var fit: [Int] = []
    var validation: [Int] = []
    var assign: [Int] = []
    var test: [Int] = []

    func split(_ settings: SplitSettings) -> ComparisonSplit {
        if settings.sharesAll { return ComparisonSplit(sharing: folds[0], test: test) }
        return folds.isEmpty
            ? ComparisonSplit(fit: fit, validation: validation, assign: assign, test: test)
            : ComparisonSplit(folds: folds, test: test)
    }
}

/// What decides where a prompt's comparisons go: those with the largest numbers are `test`.
private func splitKey(_ key: UInt64, item: Int, seed: UInt64) -> UInt64 {
    var stream = CounterRandom(seed: seed, purpose: .split, step: Int(truncatingIfNeeded: key), item: item)
    return stream.next()
}

/// The distinct prompts of comparisons.
package func promptSet(of users: [User<Comparison>]) -> Set<Conversation> {
    Set(users.lazy.flatMap(\.comparisons).map(\.prompt))
}

/// The same in an order, those first whose comparisons a split by prompt makes `test`: no reward model
/// trains on these.
package func distinctPrompts(of users: [User<Comparison>], seed: UInt64) -> [Conversation] {
    let prompts = Array(promptSet(of: users))
    let keys = prompts.map { splitKey(stableHash($0.text), item: 0, seed: seed) }
    // Of equal keys, as of conversations whose roles alone differ, any order is as good that is always the same.
    let order = prompts.indices.sorted { a, b in
        keys[a] != keys[b]
            ? keys[a] > keys[b] : precedes(prompts[a].json.encoded(), prompts[b].json.encoded())
    }
    return order.map { prompts[$0] }
}

/// Deals comparisons in a random order of their keys; those of equal keys go where the first of them falls.
///
/// `item`: a number of the user, 0 for all users together.
private func deal(_ keys: [UInt64], item: Int, _ settings: SplitSettings, seed: UInt64) -> DealtComparisons {
    // Equal keys draw equal numbers, so sorting by them puts the comparisons of a prompt side by side.
    let random = keys.map { splitKey($0, item: item, seed: seed) }
    let order = keys.indices.sorted { (random[$0], keys[$0], $0) < (random[$1], keys[$1], $1) }

    let count = order.count
    let isOneSplit = settings.folds == 1 && !settings.sharesAll
    let assign = isOneSplit ? max(1, Int((Double(count) * settings.assign).rounded())) : 0
    let test = max(0, min(Int((Double(count) * settings.test).rounded()), count - assign - 1))
    let validation = isOneSplit ? Int((Double(count) * settings.validation).rounded(.down)) : 0

    var parts = DealtComparisons()
    parts.folds = Array(repeating: [], count: isOneSplit ? 0 : settings.folds)
    var stream = CounterRandom(seed: seed, purpose: .split, step: -2, item: item)
    let start = Int.random(in: 0..<settings.folds, using: &stream)
    var position = 0
    while position < count {
        var end = position + 1
        while end < count, keys[order[end]] == keys[order[position]] { end += 1 }
        let dealt = order[position..<end]
        switch position {
        case ..<assign: parts.assign += dealt
        case ..<(count - test) where !isOneSplit:
            // Among equals the one that is next for this user, so that no fold is the first for everybody.
            let next = (0..<settings.folds).map { (start + $0) % settings.folds }
            let least = next.reduce(start) { parts.folds[$1].count < parts.folds[$0].count ? $1 : $0 }
            parts.folds[least] += dealt
        case ..<(count - test - validation): parts.fit += dealt
        case ..<(count - test): parts.validation += dealt
        default: parts.test += dealt
        }
        position = end
    }
    parts.folds = parts.folds.map { $0.sorted() }
    parts.fit.sort()
    parts.validation.sort()
    parts.assign.sort()
    parts.test.sort()
    return parts
}

/// Which whole users are held out, to measure how well new users are assigned: `round(fraction · users)` of them, at
/// least one stays.
///
/// The choice depends on seed and ids alone.
package func heldOutUsers(
    of users: [User<TokenizedComparison>],
    fraction: Double,
    seed: UInt64
) -> Set<Int> {
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
    let order = users.indices.sorted {
        keys[$0] != keys[$1] ? keys[$0] < keys[$1] : precedes(users[$0].id, users[$1].id)
    }
    return Set(order[..<count])
}
