import Collectives
import LanguageModels
import Preferences
import Reporting
import RewardMixture
import Text

/// The users of a run: those that this rank hosts, and what all ranks know of all.
struct LoadedUsers {
    /// The users of this rank's shards.
    let local: [UserComparisons<TokenComparison>]
    /// Users of all ranks.
    let total: Int
    /// Their comparisons.
    let comparisons: Int
}

extension RunContext {
    /// Reads, tokenizes and splits the preferences, keeps whole users apart where asked, and deals users to shards.
    func loadUsers(_ reference: Reference) throws -> (training: LoadedUsers, heldOut: LoadedUsers) {
        let section = configuration.reward
        let path = try configuration.data.preferences ?? directory.require("preferences.jsonl", madeBy: .simulate)
        let options = LoadOptions(
            onBadLine: configuration.data.onBadLine,
            template: configuration.data.chatTemplate,
            duplicates: configuration.data.duplicates,
            minimumRows: communicator.size
        )
        let loaded = try loadPreferences(path, options: options)
        loaded.report.warnings.forEach(progress.say)
        let maximumLength = min(configuration.data.maxLength, reference.model.configuration.contextLength)
        try communicator.enter(.tokenize, step: 0)
        let tokenized = try tokenize(
            loaded.users,
            TokenizationOptions(
                maximumLength: maximumLength,
                vocabularySize: reference.model.configuration.vocabularySize
            ),
            encoding: reference.encoding
        )
        tokenized.report.warnings.forEach(progress.say)
        let (kept, heldOut) = holdOutUsers(tokenized.users, fraction: section.heldOutUsers, seed: seed) { $0.id }
        return (try dealt(kept), try dealt(heldOut))
    }

    /// Splits every user's comparisons and keeps the users of this rank's shards.
    private func dealt(_ users: [TokenizedUser]) throws -> LoadedUsers {
        let (shards, hosted) = try shards()
        let members = dealUsersToShards(users.map { ($0.id, $0.tokens) }, shards: shards.count)
        let local = hosted.flatMap { shard in
            members[shard].map { index in
                let split = SplitUser(users[index], fractions: configuration.reward.fractions, seed: seed)
                return UserComparisons(
                    id: split.id,
                    group: split.group,
                    shard: shard,
                    fit: split.fit.map(\.pair),
                    validation: split.validation.map(\.pair),
                    assign: split.assign.map(\.pair),
                    test: split.test.map(\.pair)
                )
            }
        }
        return LoadedUsers(
            local: local,
            total: users.count,
            comparisons: users.reduce(0) { $0 + $1.comparisons.count }
        )
    }
}

extension TokenizedComparison {
    /// What a reward model sees of it.
    fileprivate var pair: TokenComparison { TokenComparison(chosen: chosen, rejected: rejected) }
}
