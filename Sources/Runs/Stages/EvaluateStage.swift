import Collectives
import Evaluation
import Failures
import Foundation
import LanguageModels
import MaxMinPolicy
import ModelFiles
import Preferences
import Randomness
import Reporting
import Simulation
import StrictJSON
import Text

/// Responses that are scored in one forward pass.
let scoringBatch = 64

/// Measures every policy against the reference and against the single-reward policy, on held-out prompts, by the
/// groups' true tastes and by the learned rewards.
///
/// Writes `evaluation.json` and prints its table.
func runEvaluate(_ run: RunContext) throws {
    let section = run.configuration.evaluate
    let started = Date()
    try run.dropMetricsOfNoCheckpoint()
    let reference = try run.loadReference()
    let prompts = try Array(run.loadPrompts(reference).heldOut.prefix(section.prompts))
    guard prompts.count == section.prompts else {
        throw Failure(
            .configuration,
            "asks for \(section.prompts) prompts of \(prompts.count) held-out ones; raise data.held_out_prompts",
            at: "evaluate.prompts"
        )
    }
    let objectives = run.configuration.policy.objectives.map(\.rawValue)
    let choices = try run.bestOfChoices()
    run.progress.begin("evaluate", total: objectives.count + 1 + choices.count, unit: "policies")
    var answers = [try answer(prompts, with: reference.model, as: "reference", index: 0, reference, run)]
    run.progress.advance()
    for (index, name) in objectives.enumerated() {
        let path = try run.directory.require("policy/\(name)", madeBy: .policy)
        let policy = try reference.load(path, head: .none)
        var own = try answer(prompts, with: policy, as: name, index: index + 1, reference, run)
        own.trained = try TrainedPolicy(directory: path)
        answers.append(own)
        run.progress.advance()
    }
    answers += try run.answerByBestOf(choices, prompts, reference)
    run.progress.advance(by: choices.count)
    run.progress.end("\(prompts.count) prompts × \(section.samplesPerPrompt)")

    let mixture = try run.loadMixtureRecord()
    let judges = try run.judges(labels: mixture.labelOfGroup, over: reference)
    let maxmin = PolicyObjective.maxmin.rawValue
    let baseline = objectives.contains(maxmin) ? maxmin : objectives.first ?? "reference"
    let unmatched = answers.compactMap { $0.trained?.unmatched($0.name) }
    try run.onRoot {
        let summary = EvaluationSummary(
            prompts: prompts.count,
            baseline: baseline,
            policies: try compare(answers, judges: judges, baseline: baseline, run: run),
            rewards: mixture.rewards,
            assignmentAgreement: mixture.agreement,
            warnings: mixture.warnings + unmatched
        )
        try writeAtomically(summary.json.encoded(pretty: true) + "\n", to: run.directory.file("evaluation.json"))
        for policy in summary.policies where objectives.contains(policy.name) {
            try run.save(run.policyCard(policy.name, policy), madeBy: .policy)
        }
        for policy in summary.policies {
            try run.metrics.write(
                stage: Stage.evaluate.rawValue,
                step: 1,
                // They are judged side by side.
                seconds: Date().timeIntervalSince(started) / Double(summary.policies.count),
                policy.figures,
                illustrations: policy.illustrations
            )
        }
        for warning in summary.warnings { run.progress.say("warning: \(warning)") }
        summary.tables.forEach { run.progress.say("\n\($0)") }
    }
}

/// One policy's responses to every prompt.
struct PolicyAnswers {
    let name: String
    /// Prompts × samples.
    let responses: [[JudgedResponse]]
    /// KL(π ‖ π_ref) a response, in nats, estimated by k1.
    let kl: Double
    /// Whether it is an upper bound of that.
    var klIsBound = false
    /// How its training ended, where that is known.
    var trained: TrainedPolicy?

    var meanTokens: Double {
        let lengths = responses.joined().map { Double($0.responseTokens.count) }
        return lengths.reduce(0, +) / Double(max(1, lengths.count))
    }
}

/// Samples a policy on all prompts and measures how far it is from the reference; the same result on every rank.
private func answer(
    _ prompts: [Prompt],
    with policy: LanguageModel,
    as name: String,
    index: Int,
    _ reference: Reference,
    _ run: RunContext
) throws -> PolicyAnswers {
    let section = run.configuration.evaluate
    let each = section.samplesPerPrompt
    let samples = try run.sampleOverShards(
        count: prompts.count * each,
        prompt: { prompts[$0 / each].tokens },
        from: policy,
        named: "policy \(name)",
        options: run.evaluationOptions(reference),
        purpose: .evaluation,
        step: index
    )
    let responses = try judged(samples, prompts, reference)
    let kl =
        try index == 0
        ? 0
        : divergence(
            of: responses,
            policy: policy,
            reference.model,
            // Greedy choice is the limit of no temperature, at which all divergences are 0 or infinite.
            temperature: section.temperature > 0 ? Float(section.temperature) : 1,
            run
        )
    guard kl.isFinite else {
        throw Failure(.internalError, "its divergence from the reference is not finite", at: "policy \(name)")
    }
    return PolicyAnswers(name: name, responses: responses, kl: kl)
}

extension RunContext {
    /// How `evaluate` samples.
    func evaluationOptions(_ reference: Reference) -> SamplingOptions {
        SamplingOptions(
            maxNewTokens: configuration.policy.training.maxNewTokens,
            temperature: Float(configuration.evaluate.temperature),
            stop: reference.encoding.endOfTurn
        )
    }
}

/// Samples as judges see them, prompts × samples: as many of each prompt, one prompt after the other.
func judged(_ samples: [Sample], _ prompts: [Prompt], _ reference: Reference) throws -> [[JudgedResponse]] {
    let each = samples.count / prompts.count
    return try prompts.indices.map { index in
        try samples[index * each..<(index + 1) * each].map { sample in
            JudgedResponse(
                prompt: prompts[index].text,
                response: try reference.encoding.text(ofResponse: sample.tokens),
                promptTokens: prompts[index].tokens,
                responseTokens: sample.tokens
            )
        }
    }
}

/// Responses after their prompts, which those to one prompt share.
func packed(_ responses: ArraySlice<JudgedResponse>) -> PackedSequences {
    PackedSequences(
        responses.map { $0.promptTokens + $0.responseTokens },
        promptLengths: responses.map(\.promptTokens.count)
    )
}

/// Mean over responses, prompts × samples, of Σ_t log π − log π_ref (k1), those to each shard's prompts scored on its
/// rank.
private func divergence(
    of responses: [[JudgedResponse]],
    policy: LanguageModel,
    _ reference: LanguageModel,
    temperature: Float,
    _ run: RunContext
) throws -> Double {
    let (shards, hosted) = try run.shards()
    let sums = try hosted.map { shard in
        var sum = 0.0
        let own = shards.items(of: shard, total: responses.count).flatMap { responses[$0] }
        for start in stride(from: 0, to: own.count, by: scoringBatch) {
            try run.communicator.enter(.score, step: 0)
            let batch = own[start..<min(start + scoringBatch, own.count)]
            sum += summedDivergence(of: batch, policy: policy, reference, temperature: temperature)
        }
        return [sum]
    }
    return try run.communicator.sumOverShards(sums, width: 1)[0] / Double(responses.joined().count)
}

/// Sum over responses of Σ_t log π − log π_ref, both at this temperature.
func summedDivergence(
    of responses: ArraySlice<JudgedResponse>,
    policy: LanguageModel,
    _ reference: LanguageModel,
    temperature: Float
) -> Double {
    let sequences = packed(responses)
    let rows = zip(0..., responses).flatMap { sequences.rows(predicting: $0, from: $1.promptTokens.count) }
    let own = policy.tokenScores(of: sequences, rows: rows, temperature: temperature).logProbabilities
    let base = reference.tokenScores(of: sequences, rows: rows, temperature: temperature).logProbabilities
    return zip(own, base).reduce(0) { $0 + Double($1.0) - Double($1.1) }
}

/// Win rates of every policy by every judge.
private func compare(
    _ answers: [PolicyAnswers],
    judges: [GroupJudge],
    baseline: String,
    run: RunContext
) throws -> [PolicyEvaluation] {
    // Judges × answers × prompts × samples; every response is judged once.
    let utilities = try judges.map { judge in try answers.map { try judge.judge.utilities(byPrompt: $0.responses) } }
    for (judge, ofJudge) in zip(judges, utilities) where !ofJudge.joined().joined().allSatisfy(\.isFinite) {
        throw Failure(.internalError, "utilities by \(judge.kind) are not finite", at: "judge of \(judge.group)")
    }
    let single = answers.firstIndex { $0.name == PolicyObjective.single.rawValue }
    let kinds = judges.map(\.kind).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
    func winRates(of policy: Int, against other: Int, by kind: String) -> WinRates {
        WinRates(
            wins: judges.indices.filter { judges[$0].kind == kind }.map { index in
                promptWins(policy: utilities[index][policy], reference: utilities[index][other])
            },
            resamples: run.configuration.evaluate.bootstrap,
            seed: run.seed
        )
    }
    func named(_ estimates: [Estimate], by kind: String) -> [GroupEstimate] {
        zip(judges.filter { $0.kind == kind }, estimates).map { GroupEstimate(group: $0.group, estimate: $1) }
    }
    // Policies × kinds of judges.
    let rates = answers.indices.map { policy in kinds.map { winRates(of: policy, against: 0, by: $0) } }
    let baselineIndex = answers.firstIndex { $0.name == baseline } ?? 0
    let shown = mostDifferent(utilities, kinds: judges.map(\.kind), count: run.configuration.evaluate.sampleTexts)
    return answers.indices.map { policy in
        PolicyEvaluation(
            name: answers[policy].name,
            judges: zip(kinds, rates[policy].indices).map { kind, index in
                let own = rates[policy][index]
                return JudgeEstimates(
                    judge: kind,
                    winRate: named(own.groups, by: kind),
                    worstWinRate: own.worst,
                    worstLessBaseline: policy == baselineIndex ? nil : own.worstLess(rates[baselineIndex][index]),
                    winRateAgainstSingle: single.map {
                        named(winRates(of: policy, against: $0, by: kind).groups, by: kind)
                    } ?? []
                )
            },
            kl: answers[policy].kl,
            klIsBound: answers[policy].klIsBound,
            maxKL: answers[policy].trained?.maxKL,
            matchesMaxKL: answers[policy].trained?.isMatched,
            meanTokens: answers[policy].meanTokens,
            samples: shown.map { prompt in
                ShownSample(
                    prompt: answers[policy].responses[prompt][0].prompt,
                    response: answers[policy].responses[prompt][0].response,
                    utilities: judges.indices.filter { judges[$0].kind == kinds[0] }.map { index in
                        (judges[index].group, utilities[index][policy][prompt][0])
                    }
                )
            }
        )
    }
}

/// The prompts on which the policies' first responses differ most by the judges of the first kind, the most different
/// first; of equals the earlier.
///
/// How far they differ is the sum over these judges of the range between policies, each in the judge's standard
/// deviations over all responses.
///
/// - Parameter utilities: judges × policies × prompts × samples.
func mostDifferent(_ utilities: [[[[Double]]]], kinds: [String], count: Int) -> [Int] {
    let prompts = utilities.first?.first?.count ?? 0
    var differences = Array(repeating: 0.0, count: prompts)
    for (judge, kind) in zip(utilities, kinds) where kind == kinds[0] {
        let all = Array(judge.joined().joined())
        let mean = all.reduce(0, +) / Double(max(1, all.count))
        let deviation = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, all.count))).squareRoot()
        guard deviation > 0 else { continue }
        for prompt in 0..<prompts {
            let first = judge.map { $0[prompt][0] }
            differences[prompt] += ((first.max() ?? 0) - (first.min() ?? 0)) / deviation
        }
    }
    return Array((0..<prompts).sorted { (-differences[$0], $0) < (-differences[$1], $1) }.prefix(count))
}
