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
    /// Reads, tokenizes and splits the preferences, keeps whole users and the judges' comparisons apart where asked,
    /// and deals users to shards.
    ///
    /// Users that are held out whole are no judges'.
    func loadUsers(
        _ reference: Reference
    ) throws -> (training: LoadedUsers, heldOut: LoadedUsers, judging: LoadedUsers) {
        let section = configuration.reward
        let path = try configuration.data.preferences ?? directory.require("preferences.jsonl", madeBy: .simulate)
        var options = configuration.data.loadOptions(reference.encoding.template)
        options.minimumRows = communicator.size
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
        var settings = section.split
        settings.unit = configuration.data.split
        settings.folds = section.mixture.folds
        settings.sharesAll = section.mixture.paper
        let (trained, judging) = splitForJudges(tokenized.users, fraction: section.judgeFraction, seed: seed)
        let lost = tokenized.users.count - trained.count
        if lost > 0 {
            progress.say(
                "warning: \(lost) users are left out, for all their comparisons are of prompts that "
                    + "reward.judge_fraction keeps for judges"
            )
        }
        // Of all users together, so that what two of them share is on one side.
        let splits = try splitComparisons(of: trained, settings, seed: seed)
        let heldOut = heldOutUsers(of: trained, fraction: section.heldOutUsers, seed: seed)
        let heldOutIDs = Set(heldOut.map { trained[$0].id })
        let judges = judging.filter { !heldOutIDs.contains($0.id) }
        let users = trained.indices
        return (
            try dealt(users.filter { !heldOut.contains($0) }.map { (trained[$0], splits[$0]) }, saysWaiting: true),
            try dealt(
                users.filter(heldOut.contains).map { user in
                    let final = splits[user].final
                    let all = ComparisonSplit(assign: final.fit + final.validation, test: splits[user].test)
                    return (trained[user], all)
                }
            ),
            try dealt(
                judges.isEmpty ? [] : Array(zip(judges, splitComparisons(of: judges, settings, seed: seed)))
            )
        )
    }

    /// Keeps the users of this rank's shards; `saysWaiting`: says so where they leave ranks waiting.
    private func dealt(
        _ users: [(User<TokenizedComparison>, ComparisonSplit)],
        saysWaiting: Bool = false
    ) throws -> LoadedUsers {
        let (shards, hosted) = try shards()
        let tokens = users.map { user, _ in user.comparisons.reduce(0) { $0 + $1.run.distinctTokens } }
        let members = dealUsersToShards(zip(users, tokens).map { ($0.0.id, $1) }, shards: shards.count)
        if saysWaiting,
            let waiting = WaitingRanks(
                "the comparisons of \(users.count) users",
                ofShards: members.map { $0.reduce(0) { $0 + tokens[$1] } },
                largest: tokens.max() ?? 0,
                ranks: shards.ranks,
                key: configuration.data.preferences == nil ? "simulate.groups" : "data.preferences"
            )
        {
            progress.say(waiting.warning)
        }
        let local = hosted.flatMap { shard in
            members[shard].map { ShardedUser(users[$0].0, shard: shard, split: users[$0].1) }
        }
        return LoadedUsers(
            local: local,
            total: users.count,
            comparisons: Int(users.reduce(0) { $0 + $1.0.comparisons.reduce(0) { $0 + $1.weight } }.rounded())
        )
    }
}
