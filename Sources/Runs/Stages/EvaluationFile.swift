package import Evaluation
import Failures
package import Judging
import Reporting
package import StrictJSON

extension EvaluationSummary {
    /// The content of `evaluation.json`.
    var json: JSONValue {
        var byPolicy = JSONObject()
        for policy in policies { byPolicy[policy.name] = policy.json }
        var byModel = JSONObject()
        for reward in rewards {
            byModel[reward.name] = ["accuracy": .object(byGroup(reward.accuracy) { .number($0.mean) })]
        }
        return [
            "prompts": .integer(prompts),
            "baseline": .string(baseline),
            "policies": .object(byPolicy),
            "rewards": .object(byModel),
            "assignment_agreement": JSONValue(optional: assignmentAgreement),
            "warnings": .array(warnings.map(JSONValue.string)),
            "llm": llm?.json ?? .null,
        ]
    }

    /// For people: win rates against the reference, the worst-off group's beside the baseline's, and win rates against
    /// the single-reward policy, by every judge, with lengths; then what every policy made of the first prompt.
    var tables: [String] {
        guard let first = policies.first else { return [] }
        var tables: [String] = []
        for (index, judge) in first.judges.enumerated() {
            var table = Table(["win rate % by \(judge.judge)"] + judge.winRate.map(\.group) + ["KL nats", "tokens"])
            for policy in policies {
                let rates = policy.judges[index].winRate.map(\.estimate.percent)
                table.add(
                    [policy.name] + rates + [
                        policy.shownKL, policy.meanTokens.formatted(decimals: 1),
                    ]
                )
            }
            tables.append(table.text)
            var worst = Table(["worst-off by \(judge.judge)", "group", "win rate %", "less \(baseline)'s"])
            for policy in policies {
                let own = policy.judges[index]
                worst.add(
                    [
                        policy.name, own.worstGroup ?? "–", own.worstWinRate.percent,
                        own.worstLessBaseline?.difference ?? "–",
                    ]
                )
            }
            tables.append(worst.text)
            guard !judge.winRateAgainstSingle.isEmpty else { continue }
            var against = Table(["against single, by \(judge.judge)"] + judge.winRate.map(\.group))
            for policy in policies {
                against.add([policy.name] + policy.judges[index].winRateAgainstSingle.map(\.estimate.percent))
            }
            tables.append(against.text)
        }
        if let prompt = first.samples.first?.prompt {
            let lines = policies.compactMap { policy in
                policy.samples.first.map { "\(policy.name): \($0.response.replacing("\n", with: " "))" }
            }
            tables.append(([prompt + " …"] + lines).joined(separator: "\n  "))
        }
        return tables
    }
}

extension LLMUse {
    /// Of what a judge decided.
    package init(_ decisions: PairDecisions, by endpoint: ChatEndpoint) {
        self.init(
            model: endpoint.model,
            requests: decisions.usage.requests,
            cached: decisions.usage.cached,
            promptTokens: decisions.usage.promptTokens,
            completionTokens: decisions.usage.completionTokens,
            cost: decisions.usage.cost(by: endpoint),
            pairs: decisions.pairs,
            contradicted: decisions.contradicted,
            unanswered: decisions.usage.unanswered
        )
    }

    /// As `evaluation.json` holds it.
    package var json: JSONValue {
        [
            "model": .string(model), "requests": .integer(requests), "cached": .integer(cached),
            "prompt_tokens": .integer(promptTokens), "completion_tokens": .integer(completionTokens),
            "cost": JSONValue(optional: cost), "pairs": .integer(pairs), "contradicted": .integer(contradicted),
            "unanswered": .integer(unanswered),
        ]
    }
}

extension PolicyEvaluation {
    /// What `metrics.jsonl` holds of a policy.
    var figures: JSONObject {
        func rates(_ value: (Estimate) -> Double) -> JSONValue {
            .object(byGroup(winRate) { .number(value($0)) })
        }
        let worst = judges.first?.worstWinRate
        return [
            "objective": .string(name), "win_rate": rates(\.mean), "win_rate_low": rates(\.low),
            "win_rate_high": rates(\.high),
            "worst_win_rate": JSONValue(optional: worst?.mean), "worst_win_rate_low": JSONValue(optional: worst?.low),
            "worst_win_rate_high": JSONValue(optional: worst?.high), "kl": .number(kl),
            "response_tokens": .number(meanTokens),
        ]
    }

    /// What TensorBoard shows besides: the samples.
    var illustrations: Illustrations {
        var illustrations = Illustrations()
        if !samples.isEmpty { illustrations.texts = [("samples", samples.map { [$0.prompt, $0.response] })] }
        return illustrations
    }

    fileprivate var shownKL: String {
        divergenceText(kl, isBound: klIsBound, missed: matchesMaxKL == false ? maxKL : nil)
    }

    fileprivate var json: JSONValue {
        var byJudge = JSONObject()
        for judge in judges {
            byJudge[judge.judge] = [
                "win_rate": .object(byGroup(judge.winRate, \.json)),
                "worst_group": judge.worstGroup.map(JSONValue.string) ?? .null,
                "worst_win_rate": judge.worstWinRate.json,
                "worst_less_baseline": judge.worstLessBaseline?.json ?? .null,
                "win_rate_against_single": .object(byGroup(judge.winRateAgainstSingle, \.json)),
            ]
        }
        return [
            "win_rate": .object(byGroup(winRate, \.json)),
            "worst_group": worstGroup.map(JSONValue.string) ?? .null,
            "win_rate_against_single": .object(byGroup(winRateAgainstSingle, \.json)),
            "by_judge": .object(byJudge),
            "kl": .number(kl),
            "kl_is_bound": .bool(klIsBound),
            "max_kl": JSONValue(optional: maxKL),
            "matches_max_kl": matchesMaxKL.map(JSONValue.bool) ?? .null,
            "mean_tokens": .number(meanTokens),
            "samples": .array(samples.map(\.json)),
        ]
    }
}

extension ShownSample {
    fileprivate var json: JSONValue {
        var utility = JSONObject()
        for (group, value) in utilities { utility[group] = .number(value) }
        return ["prompt": .string(prompt), "response": .string(response), "utility": .object(utility)]
    }
}

extension Estimate {
    /// `{mean, low, high}`.
    package var json: JSONValue { ["mean": .number(mean), "low": .number(low), "high": .number(high)] }

    /// `71.3 (67.0–75.4)`.
    package var percent: String { "\(points(mean)) (\(points(low))–\(points(high)))" }

    /// `-4.1 (-7.0 to -1.2)`.
    fileprivate var difference: String { "\(points(mean)) (\(points(low)) to \(points(high)))" }
}

private func points(_ share: Double) -> String { (100 * share).formatted(decimals: 1) }

private func byGroup(_ estimates: [GroupEstimate], _ value: (Estimate) -> JSONValue) -> JSONObject {
    var object = JSONObject()
    for estimate in estimates { object[estimate.group] = value(estimate.estimate) }
    return object
}
