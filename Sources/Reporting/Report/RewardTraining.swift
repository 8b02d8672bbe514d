import Failures
import StrictJSON

/// How each fit of the stage `reward` learned, look by look; empty where the run has no record of it, as one of an
/// earlier version.
///
/// The steps of EM's iterations follow one another on the axis, each from where the models were then.
func rewardTraining(_ run: ReportedRun) throws(Failure) -> String {
    var html = ""
    for part in run.metrics.parts(of: "reward") where part.name.hasPrefix("training-") {
        let name = String(part.name.dropFirst("training-".count))
        func chart(_ key: String, _ title: String, _ caption: String, _ unit: String) throws(Failure) -> String {
            let series = try part.series(ofGroups: key)
            return LineChart(title: "\(title) \(name).", caption: caption, xLabel: "step", yLabel: unit, series: series)
                .html
        }
        let figures = try [
            chart("loss", "Validation loss:", "On comparisons that the models did not train on.", "nats a comparison"),
            chart("accuracy", "Accuracy:", "Part of those comparisons that are decided rightly.", "accuracy"),
            chart("margin", "Margin:", "Mean reward of the better response less that of the worse.", "nats"),
            chart("training_loss", "Training loss:", "Mean of the steps since the last look.", "nats a comparison"),
            chart("gradient_norm", "Gradient:", "Norm before clipping, mean since the last look.", "norm"),
            LineChart(
                title: "Learning rate: \(name).",
                caption: "As scheduled.",
                xLabel: "step",
                yLabel: "rate",
                series: [LineChart.Series(name: "rate", points: part.series("learning_rate"))]
            ).html,
        ]
        html += charts(Array(figures.prefix(2)))
        html += "<details><summary>More of \(escaped(name))</summary>\(charts(Array(figures.dropFirst(2))))</details>\n"
    }
    return html.isEmpty ? "" : "<h3>Training of the reward models</h3>\n" + html
}

extension MetricsTable.Part {
    /// The figures of an array over the steps: a series for each group.
    fileprivate func series(ofGroups key: String) throws(Failure) -> [LineChart.Series] {
        var points: [[(x: Double, y: Double)]] = []
        for line in lines {
            let step = Double(try line.int("step"))
            for (group, value) in (try line.optionalArray(key) ?? []).enumerated() {
                if points.count == group { points.append([]) }
                if let number = value.number { points[group].append((step, number)) }
            }
        }
        return points.enumerated().map { group, own in
            LineChart.Series(name: points.count == 1 ? "all users" : "group-\(group)", points: own)
        }
    }
}
