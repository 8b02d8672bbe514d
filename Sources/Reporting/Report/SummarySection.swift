import Failures
import StrictJSON

/// What the run amounts to, in sentences.
func summaryContent(_ run: ReportedRun) throws(Failure) -> String? {
    guard run.diagnosis != nil || run.evaluation != nil || run.undiagnosed != nil else { return nil }
    var html = ""
    if let diagnosis = run.diagnosis?.fields {
        let verdict = try diagnosis.string("verdict")
        html += "<p class=\"verdict\">Diagnosis: \(escaped(verdict)).</p>\n"
        for sentence in try sentences(of: diagnosis, run.mixture) { html += paragraph(sentence) }
    } else if let reason = run.undiagnosed {
        html += "<p class=\"none\">The run has no diagnosis: \(escaped(reason)).</p>\n"
    } else {
        html +=
            run.mixture == nil
            ? "<p class=\"none\">The run has no diagnosis: it did not do the stage <code>reward</code>.</p>\n"
            : "<p class=\"none\">The run has no diagnosis: <code>reward.paper</code> leaves no comparison unseen.</p>\n"
    }
    if let evaluation = run.evaluation {
        for sentence in outcome(try policies(of: evaluation)) { html += paragraph(sentence) }
    } else {
        html += "<p class=\"none\">No policy was evaluated: the run did not do the stage <code>evaluate</code>.</p>\n"
    }
    for warning in try (run.evaluation ?? run.mixture)?.strings("warnings") ?? [] {
        html += "<p class=\"warning\"><strong>Warning:</strong> \(escaped(warning)).</p>\n"
    }
    return html
}

/// What the reward stage and the calibration say, before any policy.
private func sentences(of diagnosis: JSONFields, _ mixture: JSONFields?) throws(Failure) -> [String] {
    let shares = try diagnosis.doubles("shares")
    let users = try diagnosis.array("users").count
    let names = try groupNames(mixture, count: shares.count)
    let parts = zip(names, shares).map { "\($0) with \(decimal(100 * $1, 1)) %" }
    // Known groups have no doubt to say, and those that cannot be told apart are no finding.
    let areKnown = try diagnosis.optionalBool("groups_known") ?? false
    let areToldApart = try diagnosis.optionalBool("told_apart") ?? true
    let how = areKnown ? "are of" : areToldApart ? "form" : "were put into"
    let doubt = areKnown || areToldApart ? "" : ", which choices do not tell apart"
    var sentences = [
        shares.count == 1
            ? "The \(users) users form one group."
            : "The \(users) users \(how) \(shares.count) groups\(doubt): \(joined(parts))."
    ]
    let unsure = try diagnosis.int("unsure_users", in: 0...Int.max)
    sentences[0] +=
        areKnown
        ? " The data say who is in which."
        : unsure == 0
            ? " Each is placed with a posterior above 95 %."
            : " Of them, \(unsure) \(unsure == 1 ? "is" : "are") not placed with a posterior above 95 %."
    var best: (groups: Int, mean: Double, gain: Double, error: Double)?
    for tried in try diagnosis.fieldsList("log_likelihood") where try tried.int("groups") > 1 {
        let mean = try tried.double("mean")
        guard mean > best?.mean ?? -.infinity else { continue }
        let gain = try tried.fields("gain_over_single")
        best = (try tried.int("groups"), mean, try gain.double("mean"), try gain.double("standard_error"))
    }
    if let best {
        sentences.append(
            "On comparisons that training did not see, \(best.groups) groups explain each choice better than one by "
                + "\(decimal(best.gain, 3)) ± \(decimal(best.error, 3)) nats (standard error, clustered by user)."
        )
    }
    if let predictions = try diagnosis.optionalFields("predictions"), shares.count > 1 {
        let (single, maxmin) = (try predictions.doubles("single"), try predictions.doubles("maxmin"))
        if let own = single.min(), let other = maxmin.min() {
            sentences.append(
                "From the correlations of the rewards, a single reward is expected to give its worst-off group "
                    + "\(decimal(100 * own, 0)) % of what a policy of its own would; MaxMin "
                    + "\(decimal(100 * other, 0)) %."
            )
        }
    }
    if try diagnosis.bool("policy_worthwhile") == false {
        sentences.append("On these data a policy stage is not worth its time.")
    }
    return sentences
}

/// What the policies gave each group.
private func outcome(_ policies: [EvaluatedPolicy]) -> [String] {
    func found(_ name: String) -> EvaluatedPolicy? { policies.first { $0.name == name } }
    guard let maxmin = found("maxmin"), let worst = maxmin.worst else { return [] }
    var sentences = [
        "The worst-off group under maxmin is \(worst.group): it prefers the policy to the reference on "
            + "\(percents(maxmin.worstRate ?? worst.rate))."
    ]
    if let single = found("single"), let worst = single.worst {
        sentences.append(
            "The worst-off group under a single reward is \(worst.group), with "
                + "\(percents(single.worstRate ?? worst.rate))."
        )
        if maxmin.worstRate != nil { sentences[1] += " Both intervals are of the lowest rate, whichever group has it." }
        if let less = single.worstLessBaseline {
            let verdict =
                less.high < 0
                ? "So MaxMin helped the worst-off group"
                : less.low > 0
                    ? "So MaxMin did not help the worst-off group: a single reward served it better"
                    : "This run does not show that MaxMin helped the worst-off group"
            sentences.append("\(verdict) (single less maxmin: \(less.points) points, on the same prompts).")
        }
    }
    return sentences
}

private func percents(_ rate: Interval) -> String {
    "\(decimal(100 * rate.mean, 1)) % of prompts (95 % interval \(decimal(100 * rate.low, 1)) to "
        + "\(decimal(100 * rate.high, 1)))"
}

/// `group-0`, with the label that it matches best where the data has labels.
func groupNames(_ mixture: JSONFields?, count: Int) throws(Failure) -> [String] {
    let labels = try mixture?.optionalArray("label_of_group")?.map(\.string) ?? []
    return (0..<count).map { index in
        let label = labels.indices.contains(index) ? labels[index] : nil
        return "group-\(index)" + (label.map { " (\($0))" } ?? "")
    }
}

/// `a, b and c`.
private func joined(_ parts: [String]) -> String {
    guard parts.count > 1, let last = parts.last else { return parts.joined() }
    return parts.dropLast().joined(separator: ", ") + " and " + last
}
