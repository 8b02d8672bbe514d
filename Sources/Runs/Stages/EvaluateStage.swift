import Collectives
import Evaluation
import Failures
import Foundation
import MaxMinPolicy
import ModelFiles
import Reporting
import StrictJSON

/// Measures every policy against the reference and against the single-reward policy, on held-out prompts, by the
/// groups' true tastes and by the learned rewards.
///
/// Writes `evaluation.json` and prints its table.
func runEvaluate(_ run: RunContext) throws {
    let section = run.configuration.evaluate
    let started = Date()
    try run.dropMetricsOfNoCheckpoint()
    let reference = try run.loadReference()
    let mixture = try run.loadMixtureRecord()
    // What a judge lacks is told before anything is sampled.
    if section.judges.contains(.llm) { _ = try section.llm.rubrics(for: mixture.names) }
    let answers = try run.answerPrompts(reference)
    let judges = try run.judges(mixture, over: reference)
    let heldOutWarnings = try run.heldOutWarnings()
    let decisions = try run.decideByLLM(answers, mixture)
    let objectives = run.configuration.policy.objectives.map(\.rawValue)
    let maxmin = PolicyObjective.maxmin.rawValue
    let baseline = objectives.contains(maxmin) ? maxmin : objectives.first ?? "reference"
    let unmatched = answers.compactMap { $0.trained?.unmatched($0.name) }
    try run.onRoot {
        let kinds = try judgedBy(judges, answers) + (decisions.map { [$0.kind(of: answers)] } ?? [])
        let summary = EvaluationSummary(
            prompts: section.prompts,
            baseline: baseline,
            policies: try compare(answers, kinds, baseline: baseline, run: run),
            rewards: mixture.rewards,
            assignmentAgreement: mixture.agreement,
            warnings: mixture.warnings + unmatched + heldOutWarnings + (decisions?.warnings ?? []),
            llm: decisions?.use
        )
        try writeAtomically(summary.json.encoded(pretty: true) + "\n", to: run.directory.file("evaluation.json"))
        let trained = summary.policies.filter { objectives.contains($0.name) }
        try run.save(trained.map { run.policyCard($0.name, $0) }, madeBy: .policy)
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

/// What one kind of judge says of all answers.
struct KindOfJudge {
    /// `taste`, `reward`, `llm`.
    let kind: String
    let groups: [String]
    /// Groups × policies × prompts × samples; empty where the judge only compares.
    let utilities: [[[[Double]]]]
    /// Groups × prompts: how much the first policy's responses won against the second's.
    let wins: (_ policy: Int, _ other: Int) -> [[Double]]
}

/// What judges say that give each response a utility; every response is judged once.
///
/// Every kind has its groups in the order of the first, so that columns and colors of a group are comparable.
func judgedBy(_ judges: [GroupJudge], _ answers: [PolicyAnswers]) throws -> [KindOfJudge] {
    let kinds = judges.map(\.kind).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
    let order = judges.filter { $0.kind == kinds.first }.map(\.group)
    return try kinds.map { kind in
        let all = judges.filter { $0.kind == kind }
        let own = order.flatMap { group in all.filter { $0.group == group } } + all.filter { !order.contains($0.group) }
        let utilities = try own.map { judge in
            let utilities = try answers.map { try judge.judge.utilities(byPrompt: $0.responses) }
            guard utilities.joined().joined().allSatisfy(\.isFinite) else {
                throw Failure(.internalError, "utilities by \(kind) are not finite", at: "judge of \(judge.group)")
            }
            return utilities
        }
        return KindOfJudge(kind: kind, groups: own.map(\.group), utilities: utilities) { policy, other in
            utilities.map { promptWins(policy: $0[policy], reference: $0[other]) }
        }
    }
}

/// Win rates of every policy by every kind of judge.
private func compare(
    _ answers: [PolicyAnswers],
    _ kinds: [KindOfJudge],
    baseline: String,
    run: RunContext
) throws -> [PolicyEvaluation] {
    let single = answers.firstIndex { $0.name == PolicyObjective.single.rawValue }
    func winRates(of policy: Int, against other: Int, by kind: KindOfJudge) -> WinRates {
        WinRates(
            wins: kind.wins(policy, other),
            resamples: run.configuration.evaluate.bootstrap,
            seed: run.seed
        )
    }
    func named(_ estimates: [Estimate], by kind: KindOfJudge) -> [GroupEstimate] {
        zip(kind.groups, estimates).map { GroupEstimate(group: $0, estimate: $1) }
    }
    // Policies × kinds of judges.
    let rates = answers.indices.map { policy in kinds.map { winRates(of: policy, against: 0, by: $0) } }
    let baselineIndex = answers.firstIndex { $0.name == baseline } ?? 0
    let first = kinds.first { !$0.utilities.isEmpty }
    let shown =
        first.map { mostDifferent($0.utilities, count: run.configuration.evaluate.sampleTexts) }
        ?? Array(answers[0].responses.indices.prefix(run.configuration.evaluate.sampleTexts))
    return answers.indices.map { policy in
        PolicyEvaluation(
            name: answers[policy].name,
            judges: zip(kinds, rates[policy].indices).map { kind, index in
                let own = rates[policy][index]
                return JudgeEstimates(
                    judge: kind.kind,
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
                    utilities: first.map { first in
                        zip(first.groups, first.utilities).map { ($0, $1[policy][prompt][0]) }
                    } ?? []
                )
            }
        )
    }
}

/// The prompts on which the policies' first responses differ most, the most different first; of equals the earlier.
///
/// How far they differ is the sum over judges of the range between policies, each in the judge's standard deviations
/// over all responses.
///
/// - Parameter utilities: of judges of one kind: judges × policies × prompts × samples.
func mostDifferent(_ utilities: [[[[Double]]]], count: Int) -> [Int] {
    let prompts = utilities.first?.first?.count ?? 0
    var differences = Array(repeating: 0.0, count: prompts)
    for judge in utilities {
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
