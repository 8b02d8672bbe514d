import Failures

/// What all policies make of the same prompts, beside each other.
func samplesContent(_ run: ReportedRun) throws(Failure) -> String? {
    guard let evaluation = run.evaluation else { return nil }
    let policies = try policies(of: evaluation)
    let count = policies.map(\.samples.count).min() ?? 0
    guard count > 0 else { return paragraph("None: evaluate.sample_texts is 0.") }
    var html = paragraph(
        "One response of each policy to the same prompt, for the prompts where the policies differ most by the first "
            + "judge. The small numbers are the groups' utilities of the response."
    )
    for index in 0..<count {
        let prompt = policies.first?.samples[index].prompt ?? ""
        html += "<h3 class=\"prompt\">\(escaped(prompt))</h3>\n<div class=\"answers\">\n"
        for policy in policies {
            let sample = policy.samples[index]
            let utilities = sample.utilities.map { "\(escaped($0.group)) \(decimal($0.value, 2))" }
            html += "<div><h4>\(escaped(policy.name))</h4><p>\(escaped(sample.response))</p>"
            html += "<small>\(utilities.joined(separator: " · "))</small></div>\n"
        }
        html += "</div>\n"
    }
    return html
}
