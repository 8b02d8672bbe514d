package import Failures
import Foundation
package import StrictJSON

/// A run's results as one HTML page that needs nothing else: tables, utilities over the steps as drawings, sample
/// texts.
///
/// - Parameters:
///   - name: the run's name.
///   - evaluation: the content of `evaluation.json`.
///   - curves: utilities over the steps, one drawing each.
///   - configuration: the effective configuration, as YAML.
/// - Throws: `Failure` where `evaluation` lacks what it must hold.
package func htmlReport(
    name: String,
    evaluation: JSONFields,
    curves: [UtilityCurves],
    configuration: String
) throws(Failure) -> String {
    let policies = try evaluation.fields("policies")
    var winRates: [HTMLRow] = []
    var against: [HTMLRow] = []
    var samples = ""
    for policy in policies.object.keys {
        let fields = try policies.fields(policy)
        let figures = ["\(decimal(try fields.double("kl"), 1))", "\(decimal(try fields.double("mean_tokens"), 1))"]
        winRates.append(HTMLRow(name: policy, cells: try intervals(fields.fields("win_rate")) + figures))
        against.append(HTMLRow(name: policy, cells: try intervals(fields.fields("win_rate_against_single"))))
        for sample in try fields.fieldsList("samples") {
            samples += "<tr><th>\(escaped(policy))</th><td><i>\(escaped(try sample.string("prompt")))</i>"
            samples += "\(escaped(try sample.string("response")))</td></tr>\n"
        }
    }
    let first = policies.object.keys.first
    let groups = try first.map { key throws(Failure) in try policies.fields(key).fields("win_rate").object.keys } ?? []
    var accuracies: [HTMLRow] = []
    let rewards = try evaluation.fields("rewards")
    for model in rewards.object.keys {
        let accuracy = try rewards.fields(model).fields("accuracy")
        var cells: [String] = []
        for group in accuracy.object.keys { cells.append(percent(try accuracy.double(group))) }
        accuracies.append(HTMLRow(name: model, cells: cells))
    }
    let labelled = try rewards.object.keys.first.map { key throws(Failure) in
        try rewards.fields(key).fields("accuracy").object.keys
    }
    let agreement = try evaluation.optionalDouble("assignment_agreement").map {
        "<p>\(percent($0)) % of the users are in the group of their label, found without seeing labels.</p>"
    }
    let warnings = try evaluation.strings("warnings").map { "<p><strong>Warning:</strong> \(escaped($0)).</p>" }
    return """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>\(escaped(name))</title><style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
        table { border-collapse: collapse; margin: 1rem 0 }
        th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd }
        th { text-align: left } td { font-variant-numeric: tabular-nums } pre { overflow-x: auto; background: #f6f6f6 }
        svg { display: block; margin: 1rem 0 }
        </style></head><body>
        <h1>\(escaped(name))</h1>
        <h2>Win rate against the reference</h2>
        <p>In % with 95 % bootstrap intervals, on \(try evaluation.int("prompts")) held-out prompts, ties counted \
        half.</p>
        \(table(["policy"] + groups + ["KL, nats", "tokens"], winRates))
        <h2>Win rate against the single-reward policy</h2>
        \(table(["policy"] + groups, against))
        <h2>Groups and reward models</h2>
        \(agreement ?? "")
        \(warnings.joined(separator: "\n"))
        <p>Accuracy in % on comparisons that neither training nor assignment saw.</p>
        \(table(["model"] + (labelled ?? []), accuracies))
        <h2>Utilities over the steps</h2>
        \(curves.map(\.svg).joined(separator: "\n"))
        <h2>Samples</h2>
        <table>\(samples)</table>
        <details><summary>Configuration</summary><pre>\(escaped(configuration))</pre></details>
        </body></html>

        """
}

private struct HTMLRow {
    let name: String
    let cells: [String]
}

private func table(_ header: [String], _ rows: [HTMLRow]) -> String {
    guard rows.contains(where: { !$0.cells.isEmpty }) else { return "<p>None.</p>" }
    let head = header.map { "<th>\(escaped($0))</th>" }.joined()
    let body = rows.map { row in
        "<tr><th>\(escaped(row.name))</th>\(row.cells.map { "<td>\(escaped($0))</td>" }.joined())</tr>"
    }
    return "<table><tr>\(head)</tr>\n\(body.joined(separator: "\n"))</table>"
}

/// `71.3 (67.0–75.4)` for each group.
private func intervals(_ groups: JSONFields) throws(Failure) -> [String] {
    var cells: [String] = []
    for group in groups.object.keys {
        let estimate = try groups.fields(group)
        let (low, high) = (try estimate.double("low"), try estimate.double("high"))
        cells.append("\(percent(try estimate.double("mean"))) (\(percent(low))–\(percent(high)))")
    }
    return cells
}

private func percent(_ share: Double) -> String { decimal(100 * share, 1) }

func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// Text as HTML: what people wrote must become neither markup nor control characters; line feeds stay.
func escaped(_ text: String) -> String {
    let entities: [Unicode.Scalar: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"]
    // By scalars: a combining mark makes another Character of "<", which a browser reads as it is.
    return printable(text, keepsLines: true, limit: .max).unicodeScalars.map { entities[$0] ?? String($0) }.joined()
}
