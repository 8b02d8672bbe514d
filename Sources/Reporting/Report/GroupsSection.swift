import Failures
import StrictJSON

/// The mixture: how many groups, who is in which, how differently they judge.
func groupsContent(_ run: ReportedRun) throws(Failure) -> String? {
    guard let (lines, diagnosis) = run.diagnosis else {
        return run.mixture == nil ? nil : try accuracies(run.mixture) + rewardTraining(run)
    }
    let count = try diagnosis.int("groups", in: 1...Int.max)
    let names = try groupNames(run.mixture, count: count)
    let areKnown = try diagnosis.optionalBool("groups_known") ?? false
    var html = ""
    if names != modelNames(groups: count).dropLast() {
        html += paragraph(
            "Labels of the data match the groups so: \(names.joined(separator: ", ")). Training "
                + (areKnown ? "is given them." : "never sees them.")
        )
    }
    if let agreement = try run.mixture?.optionalDouble("assignment_agreement") {
        html += paragraph("\(decimal(100 * agreement, 1)) % of the users are in the group of their label.")
    }
    html += charts([
        try likelihoodChart(diagnosis),
        try responsibilities(diagnosis, groups: count, areKnown: areKnown),
        try correlations(diagnosis, groups: count),
        try iterations(run.metrics),
    ])
    html += try assignmentHistory(run)
    html += try accuracies(run.mixture)
    html += try predictions(diagnosis, names)
    html += try rewardTraining(run)
    return html + "<h3>The diagnosis in full</h3>\n<p>What follows ± is a standard error, clustered by user.</p>\n"
        + list(lines)
}

/// The reward models as the run's files name them: each group's, then the single one.
private func modelNames(groups: Int) -> [String] { (0..<groups).map { "group-\($0)" } + ["single"] }

private func likelihoodChart(_ diagnosis: JSONFields) throws(Failure) -> String {
    var points: [(x: Double, y: Double)] = []
    var errors: [Double] = []
    for tried in try diagnosis.fieldsList("log_likelihood") {
        points.append((Double(try tried.int("groups")), try tried.double("mean")))
        errors.append(try tried.double("standard_error"))
    }
    return LineChart(
        title: "How many groups?",
        caption: "Log-likelihood of comparisons unseen in training; bars are one standard error, clustered by user.",
        xLabel: "groups",
        yLabel: "nats a comparison",
        series: [LineChart.Series(name: "log-likelihood", points: points, errors: errors)]
    ).html
}

private func responsibilities(_ diagnosis: JSONFields, groups: Int, areKnown: Bool) throws(Failure) -> String {
    var users: [(name: String, shares: [Double])] = []
    for user in try diagnosis.fieldsList("users") {
        users.append((try user.string("user_id"), try user.doubles("posterior", in: 0...1)))
    }
    let sorted = users.sorted { a, b in
        let (own, other) = (likeliest(a.shares), likeliest(b.shares))
        return own.group != other.group ? own.group < other.group : own.share > other.share
    }
    return HeatMap(
        title: "Who is in which group?",
        caption: "Posterior of each of \(users.count) users "
            + (areKnown ? "by choices alone" : "at the end of EM") + ", sorted by group and certainty.",
        xLabel: "users",
        rows: modelNames(groups: groups).dropLast(),
        columns: sorted
    ).html
}

private func correlations(_ diagnosis: JSONFields, groups: Int) throws(Failure) -> String {
    guard let rows = try diagnosis.optionalArray("correlation") else { return "" }
    let values = rows.map { $0.array?.compactMap(\.number) ?? [] }
    let names = modelNames(groups: groups)
    guard values.count == names.count, values.allSatisfy({ $0.count == names.count }) else {
        throw diagnosis.failure("correlation", "must be \(names.count) rows of as many numbers")
    }
    return MatrixChart(
        title: "Do the groups want the same?",
        caption:
            "Correlation of the rewards on samples of the reference, within prompts: blue above zero, orange below.",
        names: names,
        values: values
    ).html
}

/// A line for each number of groups and each start that was tried; empty where none had two iterations.
private func iterations(_ metrics: MetricsTable) throws(Failure) -> String {
    var series: [LineChart.Series] = []
    for part in metrics.parts(of: "reward") where part.name.hasPrefix("mixture") {
        series.append(LineChart.Series(name: part.name, points: try part.series("log_likelihood_per_comparison")))
    }
    guard series.contains(where: { $0.points.count > 1 }) else { return "" }
    return LineChart(
        title: "EM, iteration by iteration.",
        caption: "Log-likelihood of the users' comparisons under models that did not train on them.",
        xLabel: "iteration",
        yLabel: "nats a comparison",
        series: series
    ).html
}

private func accuracies(_ mixture: JSONFields?) throws(Failure) -> String {
    guard let table = try accuracyTable([("", mixture)]) else { return "" }
    return "<h3>Accuracy of the reward models</h3>\n"
        + paragraph("Comparisons of each label's users that neither training nor assignment saw, with 95 % intervals.")
        + table
}

private func predictions(_ diagnosis: JSONFields, _ names: [String]) throws(Failure) -> String {
    guard let predictions = try diagnosis.optionalFields("predictions") else { return "" }
    var rows: [[String]] = []
    for objective in predictions.object.keys {
        rows.append([objective] + (try predictions.doubles(objective)).map { decimal(100 * $0, 0) })
    }
    return "<h3>What theory expects of each objective</h3>\n"
        + paragraph("Gain of each group, in % of what a policy of its own would give it at the same divergence.")
        + table(["objective"] + names.map { "\($0), %" }, rows)
}
