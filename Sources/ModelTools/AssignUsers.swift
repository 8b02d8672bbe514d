import Collectives
import Failures
import Foundation
import LanguageModels
import ModelFiles
import Preferences
import RewardMixture
package import Runs
import StrictJSON
import Tensors
import Text

/// What `maxmin assign` is asked for.
package struct AssignRequest: Sendable {
    /// Run directory of a finished reward stage.
    package var run: String
    /// Preference file of the new users.
    package var input: String
    package var precision = ModelSection.Precision.fp32
    package var threads = 1
    package var json = false

    /// Assigns the users of `input` to the groups that `run` found.
    package init(run: String, input: String) {
        self.run = run
        self.input = input
    }
}

/// Tokens of one pass.
private let tokensAtATime = 8_192

/// Gives each new user's group and how sure it is, from all of their comparisons.
package func assign(_ request: AssignRequest, log: (String) -> Void, emit: (String) throws -> Void) throws {
    try useThreads(request.threads)
    let directory = RunDirectory(path: request.run)
    let configuration = try loadConfiguration(
        directory.file("config.yaml"),
        overrides: [],
        communicator: SoloCommunicator()
    )
    try requireUnchanged(before: [.calibrate], resume: false, in: directory, over: SoloCommunicator())
    let csv = try directory.require("reward/assignments.csv", madeBy: .reward)
    let table = try AssignmentsTable(path: csv)
    let shares = groupShares(table.responsibilities, groups: table.responsibilities[0].count)
    let precision = request.precision.resolved
    var models: [LanguageModel] = []
    let reference = try configuration.referencePath(in: directory)
    // Opened where the groups' models are adapters of it.
    var base: LanguageModel?
    for group in shares.indices {
        let path = try directory.require("reward/group-\(group)", madeBy: .reward)
        if AdapterDirectory.isAdapter(path) {
            let opened =
                try base
                ?? ModelDirectory.open(
                    reference,
                    precision: precision,
                    head: Head.none,
                    followSymlinks: configuration.model.followSymlinks
                ).model
            base = opened
            models.append(try AdapterDirectory.load(path, over: opened, head: .reward))
        } else {
            models.append(try ModelDirectory.load(path, precision: precision, head: .reward).model)
        }
    }
    let trained = directory.file("reward/group-0")
    let encoding = try ChatEncoding(
        Tokenizer(directory: trained),
        configuration.data.chatTemplate,
        endOfText: models[0].configuration.endOfText
    )
    let noted = try Provenance(directory: trained)
    try noted?.check(trained, encoding, tokenizerIn: trained, base: base == nil ? nil : reference)
    let reading = LoadOptions(template: encoding.template, mapping: configuration.data.mapping)
    let loaded = try loadPreferences(request.input, options: reading)
    for warning in loaded.report.warnings { log("warning: \(warning)") }
    let options = TokenizationOptions(
        maximumLength: min(configuration.data.maxLength, models[0].configuration.contextLength),
        vocabularySize: models[0].configuration.vocabularySize
    )
    let tokenized = try Preferences.tokenize(
        loaded.users,
        options,
        encoding: encoding
    )
    for warning in tokenized.report.warnings { log("warning: \(warning)") }
    let users = tokenized.users.map { user in
        ShardedUser(user, shard: 0, split: ComparisonSplit(assign: Array(user.comparisons.indices)))
    }
    let scores = try scoreUsers(
        users,
        under: LanguageModelScorer(models, microBatchTokens: tokensAtATime),
        over: SoloCommunicator()
    )
    let posteriors = scores.posteriors(shares: shares)
    for (index, user) in scores.members.enumerated() {
        let posterior = posteriors[index]
        let comparisons = tokenized.users[index].comparisons.count
        let group = argmax(posterior)
        if request.json {
            let object: JSONValue = [
                "user_id": .string(user.id), "group": .integer(group),
                "posterior": .array(posterior.map(JSONValue.number)),
                "log_likelihoods": .array(scores.logLikelihoods[index].map(JSONValue.number)),
                "comparisons": .integer(comparisons),
            ]
            try emit(object.encoded())
        } else {
            let sure = String(format: "%.1f", 100 * posterior[group])
            let answer = "group \(group)  probability \(sure) %  from \(comparisons) comparisons"
            try emit("\(printable(user.id))  \(answer)")
        }
    }
}
