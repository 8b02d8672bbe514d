import Collectives
import Evaluation
import Failures
import LanguageModels
import ModelFiles
import Preferences
import Randomness
import Reporting
import RewardMixture
import StrictJSON

/// Parts all users' comparisons by prompt: those that find the groups and train their reward models, and those that
/// train the judges `held-out` alone.
///
/// What becomes of a prompt depends on it and the seed alone. Users whose comparisons are all the judges' are left out,
/// for no group would be theirs.
func splitForJudges(
    _ users: [User<TokenizedComparison>],
    fraction: Double,
    seed: UInt64
) -> (trained: [User<TokenizedComparison>], judging: [User<TokenizedComparison>]) {
    guard fraction > 0 else { return (users, []) }
    func isForJudges(_ comparison: TokenizedComparison) -> Bool {
        let prompt = Int(truncatingIfNeeded: comparison.promptHash)
        // No user has this item.
        var stream = CounterRandom(seed: seed, purpose: .split, step: prompt, item: -3)
        return stream.uniform() < fraction
    }
    let trained = users.map { $0.keeping { !isForJudges($0) } }
    let judging = zip(users, trained).filter { !$1.comparisons.isEmpty }.map { user, _ in user.keeping(isForJudges) }
    return (trained.filter { !$0.comparisons.isEmpty }, judging.filter { !$0.comparisons.isEmpty })
}

extension User<TokenizedComparison> {
    fileprivate func keeping(_ isKept: (TokenizedComparison) -> Bool) -> Self {
        Self(id: id, group: group, comparisons: comparisons.filter(isKept))
    }
}

/// The users of the judges' comparisons, labelled by the groups that were found.
///
/// - Throws: `Failure` 65 on every rank where a group has none.
func labelledByGroup(
    _ users: [ShardedUser],
    _ mixture: FittedMixture<LanguageModelRewards>,
    over communicator: any Communicator
) throws -> [ShardedUser] {
    let groups = Dictionary(
        zip(mixture.scores.members.map(\.id), mixture.assignments),
        uniquingKeysWith: { first, _ in first }
    )
    var isJudged = Array(repeating: 0.0, count: mixture.models.count)
    let labelled = users.compactMap { member -> ShardedUser? in
        guard let group = groups[member.user.id] else { return nil }
        isJudged[group] = 1
        var user = member.user
        // Labels are sorted by their bytes.
        user.group = String(1_000_000 + group)
        return ShardedUser(user, shard: member.shard, split: member.split)
    }
    try communicator.allReduceMax(&isJudged)
    if let missing = isJudged.firstIndex(of: 0) {
        throw Failure(
            .badData,
            "the users of group-\(missing) have no comparisons that could train its judge; raise it, or leave held-out "
                + "out of evaluate.judges",
            at: "reward.judge_fraction"
        )
    }
    return labelled
}

/// What `reward/held-out-judges.json` holds.
struct HeldOutJudges {
    /// Comparisons that no other reward model has seen.
    let comparisons: Int
    /// Of each group's judge what `mixture.json` has of a reward model's accuracy on its own users' `test`.
    let accuracy: [MixtureSummary.OwnAccuracy]

    init(_ judges: FittedMixture<LanguageModelRewards>, comparisons: Int) {
        self.comparisons = comparisons
        accuracy = Array(MixtureSummary(judges).ownAccuracy.dropLast())
    }

    var json: JSONValue {
        var byGroup = JSONObject()
        for (group, own) in accuracy.enumerated() { byGroup["group-\(group)"] = own.test?.json ?? .null }
        return [
            "comparisons": .integer(comparisons), "test_accuracy": .object(byGroup),
            "warnings": .array(warnings.map(JSONValue.string)),
        ]
    }

    /// Judges that are not known to decide better than chance.
    var warnings: [String] {
        accuracy.enumerated().compactMap { group, own in
            guard let test = own.test, test.low <= 0.5 else { return nil }
            return "the judge held-out of group-\(group) decides \((100 * test.mean).formatted(decimals: 1)) % of its "
                + "users' unseen comparisons as they do, which is not above chance; its win rates mean little"
        }
    }
}

extension RunContext {
    /// What speaks against the judges `held-out`, where `evaluate.judges` wants them.
    func heldOutWarnings() throws -> [String] {
        guard configuration.evaluate.judges.contains(.heldOut) else { return [] }
        let path = try directory.require("reward/held-out-judges.json", madeBy: .reward)
        return try JSONFields(JSONValue(contentsOfFile: path), at: path).strings("warnings")
    }
}
