import Failures
import StrictJSON

/// How the policies were trained: utilities and weights of the groups, divergence and lengths over the steps.
func policiesContent(_ run: ReportedRun) throws(Failure) -> String? {
    let parts = run.metrics.parts(of: "policy")
    guard !parts.isEmpty else { return nil }
    var utilities: [(name: String, series: [LineChart.Series], worst: [(x: Double, series: Int)])] = []
    var weights: [(name: String, series: [LineChart.Series])] = []
    for part in parts {
        let groups = try part.series(within: "utility", leavingOut: ["single"])
        let names = try groupNames(run.mixture, count: groups.count)
        func named(_ series: [LineChart.Series]) -> [LineChart.Series] {
            zip(names, series).map { LineChart.Series(name: $0, points: $1.points) }
        }
        utilities.append((part.name, named(groups), try worstGroups(part, among: groups.map(\.name))))
        weights.append((part.name, named(try part.series(within: "weight"))))
    }
    // One axis for all, so that the objectives can be compared.
    let axis = Axis(utilities.flatMap { $0.series.flatMap { $0.thinned.points.map(\.y) } })
    var html = paragraph(
        "The utility of a group is its mean calibrated reward less β times the divergence. The strip below each chart "
            + "has the color of the group that is worst off at that step."
    )
    if let sentence = try endings(parts, maxKL: run.keys["policy.max_kl"]) { html += paragraph(sentence) }
    html += charts(
        utilities.map { objective in
            LineChart(
                title: "Utilities under \(objective.name).",
                caption: "Of each group, step by step; the strip marks the worst-off one.",
                xLabel: "step",
                yLabel: "utility, calibrated",
                series: objective.series,
                y: axis,
                marked: objective.worst
            ).html
        }
    )
    html += charts(
        weights.filter { $0.series.contains { $0.points.contains { $0.y != 0 } } }.map { objective in
            LineChart(
                title: "Weights under \(objective.name).",
                caption: "How much each group counts in the reward of a step.",
                xLabel: "step",
                yLabel: "weight",
                series: objective.series,
                y: Axis([0, 1])
            ).html
        }
    )
    html += charts([
        try comparison(
            parts,
            "kl",
            "Divergence.",
            "How far each policy has moved from the reference.",
            "KL, nats a response"
        ),
        try comparison(parts, "response_tokens", "Lengths.", "Mean length of the sampled responses.", "tokens"),
        try comparison(parts, "entropy", "Entropy.", "Of the next token, on the sampled responses.", "nats"),
        try comparison(parts, "gradient_norm", "Gradient.", "Norm before clipping, mean of a step's updates.", "norm"),
    ])
    return html
}

/// At which step each training reached `policy.max_kl`; nil where that is not set.
private func endings(_ parts: [MetricsTable.Part], maxKL: String?) throws(Failure) -> String? {
    guard let maxKL, maxKL != "null" else { return nil }
    var endings: [String] = []
    for part in parts {
        guard let last = part.lines.last else { continue }
        let step = try last.int("step")
        let reached = try last.optionalBool("reached_max_kl") == true
        endings.append(reached ? "\(part.name) at step \(step)" : "\(part.name) not in \(step) steps")
    }
    return "A training ends where the divergence, smoothed over its last steps, reaches \(maxKL) nats: "
        + endings.joined(separator: ", ") + ". The weights are then moved until the divergence is \(maxKL) nats."
}

/// One figure of all policies.
private func comparison(
    _ parts: [MetricsTable.Part],
    _ key: String,
    _ title: String,
    _ caption: String,
    _ unit: String
) throws(Failure) -> String {
    var series: [LineChart.Series] = []
    for part in parts { series.append(LineChart.Series(name: part.name, points: try part.series(key))) }
    return LineChart(title: title, caption: caption, xLabel: "step", yLabel: unit, series: series).html
}

/// The worst-off group at each step, as an index of `groups`.
private func worstGroups(_ part: MetricsTable.Part, among groups: [String]) throws(Failure) -> [(
    x: Double, series: Int
)] {
    var worst: [(x: Double, series: Int)] = []
    for line in part.lines where line.object["skipped"]?.bool != true {
        guard let name = try line.optionalString("worst_group"), let index = groups.firstIndex(of: name) else {
            continue
        }
        worst.append((Double(try line.int("step")), index))
    }
    return worst
}

/// How the reference policy learned, where the run made it.
func referenceContent(_ run: ReportedRun) throws(Failure) -> String? {
    guard let sft = run.metrics.parts(of: "sft").first else { return nil }
    return charts([
        LineChart(
            title: "Loss of the reference.",
            caption: "Mean over the tokens of a step's batch.",
            xLabel: "step",
            yLabel: "nats a token",
            series: [
                LineChart.Series(name: "loss", points: try sft.series("loss")),
                LineChart.Series(name: "held out", points: try sft.series("held_out_loss")),
            ].filter { !$0.points.isEmpty }
        ).html,
        LineChart(
            title: "Learning rate of the reference.",
            caption: "As scheduled.",
            xLabel: "step",
            yLabel: "rate",
            series: [LineChart.Series(name: "rate", points: try sft.series("learning_rate"))]
        ).html,
    ])
}
