import Evaluation
import Failures
import Foundation
import Judging
import LanguageModels
import ModelFiles
import Preferences
package import Reporting
import Runs
import Simulation
import StrictJSON
import Text

/// What `maxmin evaluate --policy` is asked for.
package struct CompareRequest: Sendable {
    package var policy: ModelRequest
    package var against: ModelRequest
    /// Path of a JSON Lines file of prompts, `-` for standard input.
    package var prompts: String
    package var rewardModels: [ModelRequest] = []
    /// Names of tastes, or paths of scorers.
    package var tastes: [String] = []
    /// Path of a file with the keys of `evaluate.llm`.
    package var llm: String?
    /// Where answers of that judge are kept; nil: nowhere.
    package var answers: String?
    package var samples = 1
    package var maxNewTokens = 64
    package var temperature = 1.0
    package var seed: UInt64 = 1
    package var bootstrap = 1_000
    package var json = false
    /// Whether the requests to a language model are printed, and nothing is judged.
    package var dryRun = false

    /// Compares two models on prompts.
    package init(policy: ModelRequest, against: ModelRequest, prompts: String) {
        self.policy = policy
        self.against = against
        self.prompts = prompts
    }
}

/// Samples two models on the same prompts, and lets judges say how often the first's responses are preferred.
///
/// Response i of the one is a random draw apart from response i of the other; both depend on the seed, the prompt's
/// number and i alone.
package func compareModels(
    _ request: CompareRequest,
    progress: ProgressMeter,
    emit: (String) throws -> Void
) throws {
    let llm = try request.llm.map(LLMJudgeSection.init(contentsOfFile:))
    let key = request.dryRun ? nil : try llm?.key()
    let tastes = try request.tastes.map { (name: $0, taste: try Taste($0)) }
    var pair = try [request.policy, request.against].map {
        try Contestant($0, log: progress.say)
    }
    var conversations: [(conversation: Conversation, location: String)] = []
    try forEachInputLine(of: request.prompts) { fields, location in
        // What one of the two templates cannot render is no prompt for both.
        let both = try pair.map {
            try fields.object.prompt("prompt", $0.text.encoding.template, at: location)
        }
        conversations.append((both[0], location))
    }
    guard !conversations.isEmpty else {
        throw Failure(.badData, "holds no prompt", at: request.prompts)
    }
    for index in pair.indices {
        try pair[index].answer(conversations, request, stream: 1 - index, progress)
    }
    let questions = (llm?.rubrics ?? []).flatMap { rubric in
        zip(pair[0].responses, pair[1].responses).flatMap { sideBySide(rubric.text, $0, $1) }
    }
    if let llm, request.dryRun {
        let cache = try request.answers.map { try AnswerCache(path: $0) } ?? AnswerCache()
        let open = PairJudge(llm.endpoint, key: nil, cache: cache).requests(for: questions)
        for line in open { try emit(line) }
        return progress.say(
            "judge: \(open.count) requests to \(llm.endpoint.completions) were not sent"
        )
    }
    let divergence = try divergence(of: pair)
    var judgments: [Judgment] = []
    func add(_ judge: String, _ name: String, _ utilities: [[[Double]]]) throws {
        guard utilities.joined().joined().allSatisfy(\.isFinite) else {
            throw Failure(.internalError, "its utilities are not finite", at: name)
        }
        let wins = promptWins(policy: utilities[0], reference: utilities[1])
        judgments.append(Judgment(judge: judge, name: name, wins: wins, request))
    }
    for (name, taste) in tastes {
        let judge = Judge(name: name, taste: taste)
        try add("taste", name, pair.map { try judge.utilities(byPrompt: $0.responses) })
    }
    for model in request.rewardModels {
        let scorer = try RewardScorer(model, log: progress.say)
        try add("reward", model.name, pair.map { try scorer.rewards(of: $0, conversations) })
    }
    var use: LLMUse?
    if let llm {
        let cache = try request.answers.map { try AnswerCache(path: $0) } ?? AnswerCache()
        let decisions = try PairJudge(llm.endpoint, key: key, cache: cache)
            .decide(questions, showing: progress, pulse: {})
        for line in decisions.lines(of: llm.endpoint) + decisions.warnings {
            progress.say("llm: \(line)")
        }
        let each = pair[0].responses.count * request.samples
        for (index, rubric) in llm.rubrics.enumerated() {
            let own = Array(decisions.wins[index * each..<(index + 1) * each])
            let wins = stride(from: 0, to: each, by: request.samples).map { start in
                own[start..<start + request.samples].reduce(0, +) / Double(request.samples)
            }
            judgments.append(Judgment(judge: "llm", name: rubric.group, wins: wins, request))
        }
        use = LLMUse(decisions, by: llm.endpoint)
    }
    let outcome = ComparedModels(
        policy: request.policy.name,
        against: request.against.name,
        prompts: conversations.count,
        samples: request.samples,
        judgments: judgments,
        meanTokens: pair.map(\.meanTokens),
        kl: divergence,
        llm: use
    )
    try emit(request.json ? outcome.json.encoded() : outcome.table)
}

/// KL(policy ‖ other) a response, in nats, on the policy's responses at temperature 1; nil where the two have
/// different tokens.
private func divergence(of pair: [Contestant]) throws -> Double? {
    let (own, other) = (pair[0], pair[1])
    let vocabularies = pair.map(\.text.model.configuration.vocabularySize)
    guard own.tokenizer == other.tokenizer,
        own.text.encoding.template == other.text.encoding.template,
        vocabularies[0] == vocabularies[1]
    else { return nil }
    let responses = Array(own.responses.joined())
    var sum = 0.0
    for start in stride(from: 0, to: responses.count, by: responsesAtATime) {
        sum += summedDivergence(
            of: responses[start..<min(start + responsesAtATime, responses.count)],
            policy: own.text.model,
            other.text.model,
            temperature: 1
        )
    }
    let mean = sum / Double(responses.count)
    guard mean.isFinite else {
        throw Failure(.internalError, "its divergence from the other model is not finite", at: own.name)
    }
    return mean
}
