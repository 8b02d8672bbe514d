import Evaluation
import Failures
import Reporting
import StrictJSON

extension EvaluationSummary {
    /// The content of `evaluation.json` (design.md §8).
    var json: JSONValue {
        var byPolicy = JSONObject()
        for policy in policies { byPolicy[policy.name] = policy.json }
        var byModel = JSONObject()
        for reward in rewards {
            byModel[reward.name] = ["accuracy": .object(byGroup(reward.accuracy) { .number($0.mean) })]
        }
        return [
            "prompts": .integer(prompts),
            "policies": .object(byPolicy),
            "rewards": .object(byModel),
            "assignment_agreement": JSONValue(optional: assignmentAgreement),
        ]
    }

    /// Win rates against the reference for people, a line per policy.
    var table: String {
        let groups = policies.first?.winRate.map(\.group) ?? []
        var table = Table(["policy"] + groups.map { "\($0), win rate %" } + ["worst group %", "KL nats", "tokens"])
        for policy in policies {
            let rates = policy.winRate.map(\.estimate)
            table.add(
                [policy.name] + rates.map(\.percent) + [
                    rates.map(\.mean).min().map { (100 * $0).formatted(decimals: 1) } ?? "–",
                    policy.kl.formatted(decimals: 1), policy.meanTokens.formatted(decimals: 1),
                ]
            )
        }
        return table.text
    }
}

extension PolicyEvaluation {
    fileprivate var json: JSONValue {
        var judges = JSONObject()
        for judge in winRateByJudge { judges[judge.judge] = .object(byGroup(judge.groups, \.json)) }
        return [
            "win_rate": .object(byGroup(winRate, \.json)),
            "worst_group": worstGroup.map(JSONValue.string) ?? .null,
            "win_rate_against_single": .object(byGroup(winRateAgainstSingle, \.json)),
            "win_rate_by_judge": .object(judges),
            "kl": .number(kl),
            "mean_tokens": .number(meanTokens),
            "samples": .array(
                samples.map { ["prompt": .string($0.prompt), "response": .string($0.response)] }
            ),
        ]
    }
}

extension Estimate {
    /// `{mean, low, high}`.
    var json: JSONValue { ["mean": .number(mean), "low": .number(low), "high": .number(high)] }

    /// `71.3 (67.0–75.4)`.
    fileprivate var percent: String {
        func text(_ value: Double) -> String { (100 * value).formatted(decimals: 1) }
        return "\(text(mean)) (\(text(low))–\(text(high)))"
    }
}

private func byGroup(_ estimates: [GroupEstimate], _ value: (Estimate) -> JSONValue) -> JSONObject {
    var object = JSONObject()
    for estimate in estimates { object[estimate.group] = value(estimate.estimate) }
    return object
}
