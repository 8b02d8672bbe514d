import Failures
import ModelFiles
import Reporting
import StrictJSON

/// Writes `report.html`: the evaluation's tables, the utilities over the steps of every policy, and sample texts.
func runReport(_ run: RunContext) throws {
    try run.onRoot {
        let path = try run.directory.require("evaluation.json", madeBy: .evaluate)
        try requireUnchangedMetrics(in: run.directory)
        let page = try htmlReport(
            name: run.configuration.run.name,
            evaluation: JSONFields(JSONValue(contentsOfFile: path), at: path),
            curves: run.utilityCurves(),
            configuration: run.configuration.effectiveYAML
        )
        try writeAtomically(page, to: run.directory.file("report.html"))
        run.progress.say("report: \(run.directory.file("report.html"))")
    }
}

extension RunContext {
    /// The groups' utilities of every policy, from `metrics.jsonl`.
    fileprivate func utilityCurves() throws -> [UtilityCurves] {
        let path = directory.file("metrics.jsonl")
        var curves: [UtilityCurves] = []
        try forEachJSONLine(in: readBytes(ofFile: path), file: path) { line, result in
            let fields = try JSONFields(try result.get(), at: "\(path):\(line)")
            guard try fields.string("stage") == Stage.policy.rawValue else { return }
            let utilities = try fields.fields("utility")
            let names = utilities.object.keys.filter { $0 != "single" }
            let objective = try fields.string("objective")
            if curves.last?.title != objective {
                curves.append(UtilityCurves(title: objective, groups: names.map { ($0, []) }))
            }
            guard curves.last?.groups.map(\.name) == names else {
                throw fields.failure("utility", "has other groups than the line before")
            }
            for (index, name) in names.enumerated() {
                curves[curves.count - 1].groups[index].values.append(try utilities.optionalDouble(name) ?? .nan)
            }
        }
        return curves
    }
}
