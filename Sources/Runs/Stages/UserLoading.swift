import Collectives
import LanguageModels
import Preferences
import Reporting
import RewardMixture
import Text

/// The users of a run: those that this rank hosts, and what all ranks know of all.
struct LoadedUsers {
    /// The users of this rank's shards.
    let local: [ShardedUser]
    /// Users of all ranks.
    let total: Int
    /// Their comparisons; ties told as several orders count once.
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
        let (kept, heldOut) = holdOutUsers(tokenized.users, fraction: section.heldOutUsers, seed: seed)
        return (try dealt(kept), try dealt(heldOut))
    }

    /// Splits every user's comparisons and keeps the users of this rank's shards.
    private func dealt(_ users: [User<TokenizedComparison>]) throws -> LoadedUsers {
        let (shards, hosted) = try shards()
        let members = dealUsersToShards(
            users.map { ($0.id, $0.comparisons.reduce(0) { $0 + $1.distinctTokens }) },
            shards: shards.count
        )
        let local = hosted.flatMap { shard in
            members[shard].map { index in
                ShardedUser(
                    users[index],
                    shard: shard,
                    split: splitComparisons(of: users[index], fractions: configuration.reward.fractions, seed: seed)
                )
            }
        }
        return LoadedUsers(
            local: local,
            total: users.count,
            comparisons: Int(users.reduce(0) { $0 + $1.comparisons.reduce(0) { $0 + $1.weight } }.rounded())
        )
    }
}
