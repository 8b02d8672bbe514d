package import Failures
import StrictJSON

/// Several runs side by side as one HTML page: win rates, the worst-off group, divergence, accuracies, and the keys
/// that differ.
///
/// - Throws: `Failure` where a file of a run lacks what it must hold.
package func comparisonPage(_ runs: [ReportedRun]) throws(Failure) -> String {
    let title = "\(runs.count) runs side by side"
    return page(title: title, (["<h1>\(title)</h1>"] + (try comparisonSections(runs))).joined(separator: "\n"))
}

/// The sections of a page that has runs side by side.
func comparisonSections(_ runs: [ReportedRun]) throws(Failure) -> [String] {
    var compared: [ComparedRun] = []
    for (run, label) in zip(runs, labels(of: runs)) {
        compared.append(
            ComparedRun(label: label, run: run, policies: try run.evaluation.map(policies(of:)) ?? [])
        )
    }
    let names = distinct(compared.flatMap { $0.policies.map(\.name) }).filter { $0 != "reference" }
    return try [
        section("Summary", needs: "evaluate", overview(compared)),
        section("Win rates", needs: "evaluate", names.isEmpty ? nil : winRates(compared, of: names)),
        section("Utility of the worst-off group", needs: "policy", worstUtilities(compared)),
        section("Accuracy of the reward models", needs: "reward", accuracies(compared)),
        section("What differs in the configurations", needs: "run", differences(compared)),
    ]
}

private struct ComparedRun {
    let label: String
    let run: ReportedRun
    let policies: [EvaluatedPolicy]

    func policy(_ name: String) -> EvaluatedPolicy? { policies.first { $0.name == name } }
}

/// Each run's name; the end of its directory where two have the same name, all of it where that is the same too.
private func labels(of runs: [ReportedRun]) -> [String] {
    let ends = runs.map { String($0.directory.split(separator: "/").last ?? "") }
    for labels in [runs.map(\.name), ends] where Set(labels).count == runs.count { return labels }
    return runs.map(\.directory)
}

private func overview(_ runs: [ComparedRun]) throws(Failure) -> String? {
    var rows: [[String]] = []
    for compared in runs {
        let diagnosis = compared.run.diagnosis?.fields
        func worst(_ name: String) -> String {
            guard let policy = compared.policy(name), let worst = policy.worst else { return "–" }
            return "\(worst.rate.percent) \(worst.group), KL \(shownNats(policy.kl))"
        }
        rows.append([
            compared.label,
            try diagnosis?.optionalInt("groups").map(String.init) ?? "–",
            try compared.run.mixture?.optionalDouble("assignment_agreement").map { decimal(100 * $0, 1) } ?? "–",
            worst("maxmin"), worst("single"),
            try diagnosis?.string("verdict") ?? "–",
        ])
    }
    return paragraph(
        "The worst-off group is the one with the lowest win rate against the reference, in % with a 95 % interval; KL "
            + "is in nats a response."
    )
        + table(
            ["run", "groups", "users as labeled, %", "worst-off under maxmin", "worst-off under single", "diagnosis"],
            rows
        )
}

private func winRates(_ runs: [ComparedRun], of names: [String]) -> String {
    let groups = distinct(runs.flatMap { $0.policies.flatMap { $0.winRates.map(\.group) } })
    var figures = names.map { name in
        let rows = runs.compactMap { run in
            run.policy(name).map { policy in
                (run.label, groups.map { group in policy.winRates.first { $0.group == group }?.rate })
            }
        }
        return BarChart(
            title: "Win rate of \(name).",
            caption: "Against the reference of each run, by group, with 95 % intervals; ▾ marks the worst-off group.",
            xLabel: "prompts won, %",
            groups: groups,
            policies: rows
        ).html
    }
    figures.append(
        frontier(
            "Every policy of every run. Higher and further left is better.",
            runs.flatMap { run in
                run.policies.filter { $0.name != "reference" }.compactMap { policy in
                    policy.worst.map { ("\(policy.name), \(run.label)", policy.kl, $0.rate) }
                }
            }
        )
    )
    let rows = runs.flatMap { run in
        run.policies.map { policy in
            ["\(run.label): \(policy.name)"]
                + groups.map { group in policy.winRates.first { $0.group == group }?.rate.percent ?? "–" }
                + [shownNats(policy.kl), decimal(policy.tokens, 1)]
        }
    }
    return charts(figures) + table(["policy"] + groups.map { "\($0), %" } + ["KL, nats", "tokens"], rows)
}

/// For each objective, one line a run: the least of the groups' utilities at each step.
private func worstUtilities(_ runs: [ComparedRun]) throws(Failure) -> String? {
    var objectives: [(name: String, series: [LineChart.Series])] = []
    for compared in runs {
        for part in compared.run.metrics.parts(of: "policy") {
            var least: [(x: Double, y: Double)] = []
            for line in part.lines {
                guard let utilities = try line.optionalFields("utility") else { continue }
                let groups = utilities.object.keys.filter { $0 != "single" }
                var known: [Double] = []
                for group in groups {
                    if let utility = try utilities.optionalDouble(group) { known.append(utility) }
                }
                // Of a step that lacks a group's nobody knows which is the least.
                guard known.count == groups.count, let smallest = known.min() else { continue }
                least.append((Double(try line.int("step")), smallest))
            }
            let line = LineChart.Series(name: compared.label, points: least)
            if let index = objectives.firstIndex(where: { $0.name == part.name }) {
                objectives[index].series.append(line)
            } else {
                objectives.append((part.name, [line]))
            }
        }
    }
    guard !objectives.isEmpty else { return nil }
    return charts(
        objectives.map { objective in
            LineChart(
                title: "Worst-off utility under \(objective.name).",
                caption: "The least of the groups' utilities at each step.",
                xLabel: "step",
                yLabel: "utility, calibrated",
                series: objective.series
            ).html
        }
    )
}

private func accuracies(_ runs: [ComparedRun]) throws(Failure) -> String? {
    guard let table = try accuracyTable(runs.map { ("\($0.label): ", $0.run.mixture) }) else {
        let haveModels = runs.contains { $0.run.mixture != nil }
        return haveModels ? paragraph("The data of these runs name no groups.") : nil
    }
    return paragraph("On comparisons that neither training nor assignment saw, with 95 % intervals.") + table
}

private func differences(_ runs: [ComparedRun]) -> String {
    let keys = Set(runs.flatMap { $0.run.keys.keys }).sorted().filter { key in
        Set(runs.map { $0.run.keys[key] }).count > 1
    }
    guard !keys.isEmpty else { return paragraph("Nothing.") }
    return table(["key"] + runs.map(\.label), keys.map { key in [key] + runs.map { $0.run.keys[key] ?? "–" } })
}
