import Failures
import StrictJSON

/// Win rates as bars and numbers, and what they cost in divergence.
func evaluationContent(_ run: ReportedRun) throws(Failure) -> String? {
    guard let evaluation = run.evaluation else { return nil }
    let policies = try policies(of: evaluation)
    let prompts = try evaluation.int("prompts")
    let groups = policies.first?.winRates.map(\.group) ?? []
    let judges = policies.first?.byJudge.map(\.judge) ?? []
    var html = paragraph(
        "How often a group prefers a policy's response to the reference's, on \(prompts) held-out prompts. Ties count "
            + "half. Intervals are 95 %, by bootstrap over prompts."
            + (judges.first.map { " Judge of the table: \(judgeText($0))." } ?? "")
    )
    html += table(
        ["policy"] + groups.map { "\($0), %" } + ["KL, nats", "tokens"],
        policies.map { policy in
            [policy.name] + policy.winRates.map(\.rate.percent) + [policy.shownKL, decimal(policy.tokens, 1)]
        }
    )
    var figures = judges.map { judge in
        // A judge may have groups of its own; those that the table has keep their place, and so their color.
        let found = policies.first?.byJudge.first { $0.judge == judge }?.winRates.map(\.group) ?? []
        let order = groups.filter(found.contains) + found.filter { !groups.contains($0) }
        let rates = policies.map { policy in
            let own = policy.byJudge.first { $0.judge == judge }?.winRates ?? []
            return (policy.name, order.map { group in own.first { $0.group == group }?.rate })
        }
        return BarChart(
            title: "Win rate by \(judge).",
            caption:
                "Of each policy against the reference, by group, with 95 % intervals; ▾ marks the worst-off group.",
            xLabel: "prompts won, %",
            groups: order,
            policies: rates
        ).html
    }
    figures.append(
        frontier(
            "Higher and further left is better."
                + (policies.contains(where: \.klIsBound)
                    ? " Best of n is the reference's best of n responses by the rewards of all groups; its KL is an "
                        + "upper bound." : ""),
            policies.compactMap { policy in policy.worst.map { (policy.name, policy.kl, $0.rate) } }
        )
    )
    html += charts(figures)
    if let baseline = try evaluation.optionalString("baseline") {
        html += "<h3>The worst-off group</h3>\n"
        html += paragraph(
            "The lowest win rate, and how much higher it is than under \(baseline). Both policies of a difference "
                + "answer the same prompts, so it is surer than its two rates. An interval that excludes 0 is more "
                + "than chance."
        )
        html += table(
            ["policy", "group", "win rate, %", "less \(baseline)'s, points"],
            policies.map { policy in
                [
                    policy.name, policy.worst?.group ?? "–", policy.worstRate?.percent ?? "–",
                    policy.worstLessBaseline?.points ?? "–",
                ]
            }
        )
    }
    if policies.contains(where: { !$0.againstSingle.isEmpty }) {
        html += "<h3>Against the policy of a single reward</h3>\n"
        html += table(
            ["policy"] + (policies.first?.againstSingle.map { "\($0.group), %" } ?? []),
            policies.map { [$0.name] + $0.againstSingle.map(\.rate.percent) }
        )
    }
    return html
}

/// What policies cost, as KL to the reference, and what they give the worst-off group.
func frontier(_ caption: String, _ points: [(name: String, kl: Double, rate: Interval)]) -> String {
    ScatterChart(
        title: "What the worst-off group gets, at what divergence.",
        caption: caption,
        xLabel: "KL to the reference, nats a response",
        yLabel: "win rate of the worst-off group, %",
        points: points.map { ($0.name, $0.kl, $0.rate) }
    ).html
}

private func judgeText(_ judge: String) -> String {
    switch judge {
    case "taste": "the simulated users' true tastes, which training never sees"
    case "reward": "the learned rewards, on which the policies were trained"
    case "held-out": "reward models of comparisons that no other reward model has seen"
    case "llm": "a language model, by a rubric for each group, asked in both orders"
    default: judge
    }
}
