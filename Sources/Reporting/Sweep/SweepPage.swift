package import Failures

extension SweepReport {
    /// The content of `sweep.html`: mean and range over runs, then the runs side by side.
    ///
    /// - Throws: `Failure` where a file of a run lacks what it must hold.
    package func html() throws(Failure) -> String {
        let series = try SweepSeries.all(of: runs).filter { $0.evaluated > 0 }
        let title = "Sweep of \(runs.count) runs"
        let body =
            [
                "<h1>\(escaped(title))</h1>",
                "<p class=\"about\"><code>\(escaped(file))</code> over <code>\(escaped(base))</code>, in "
                    + "<code>\(escaped(directory))</code>.</p>",
                section("Mean and range", needs: "evaluate", series.isEmpty ? nil : overview(of: series)),
                section("The runs", needs: "run", states),
            ] + (try comparisonSections(runs.compactMap(\.record)))
        return page(title: title, body.joined(separator: "\n"))
    }

    private var states: String {
        table(
            ["run", "name", "state", "why"],
            runs.map { run in
                let code = run.exitCode.map { " with \($0)" } ?? ""
                return ["\(run.index)", run.name, run.state + code, run.message ?? "–"]
            }
        )
    }

    private func overview(of series: [SweepSeries]) -> String {
        let names = distinct(series.flatMap { $0.policies.map(\.name) })
        var html = paragraph(
            "Win rates against the reference in %. Each figure is the mean over runs that differ in their seed only, "
                + "with the range over them. The worst-off group is each run's own. Its intervals reach from the "
                + "lowest to the highest end of the runs' 95 % intervals. The difference from the baseline is paired "
                + "by prompts; without 0 are the runs in which its 95 % interval is below or above it."
        )
        for judge in distinct(series.flatMap { $0.policies.flatMap { $0.judged.map(\.judge) } }) {
            html += "<h3>By \(escaped(judge))</h3>\n"
            let rates = series.flatMap { $0.policies.compactMap { $0.judged(by: judge)?.winRates }.joined() }
            let groups = distinct(rates.map(\.group))
            html += table(
                ["policy", "runs"] + groups.map { "\($0), %" } + [
                    "worst-off, %", "its intervals, %", "less baseline's, points", "without 0", "KL, nats",
                    "users as labeled, %",
                ],
                names.flatMap { name in
                    series.compactMap { own in own.policy(name).map { row(own, $0, judge, groups) } }
                }
            )
            html += charts(names.filter { $0 != "reference" }.map { chart($0, series, judge, groups) })
        }
        let points = series.flatMap { own in
            own.policies.filter { $0.name != "reference" }.compactMap { policy -> (String, Double, Interval)? in
                guard let worst = policy.judged.first?.worst, let kl = policy.kl else { return nil }
                return ("\(policy.name), \(own.name)", kl.mean, worst.interval)
            }
        }
        return html + charts([frontier("Means over runs; bars are ranges, not intervals.", points)])
    }

    private func row(_ series: SweepSeries, _ policy: SweepSeries.Policy, _ judge: String, _ groups: [String])
        -> [String]
    {
        let judged = policy.judged(by: judge)
        return ["\(policy.name), \(series.name)", "\(series.evaluated) of \(series.runs)"]
            + groups.map { group in
                judged?.winRates.first { $0.group == group }?.spread.text(1, times: 100) ?? "–"
            } + [
                judged?.worst?.text(1, times: 100) ?? "–",
                judged?.worstInterval.map { "\(decimal(100 * $0.low, 1))–\(decimal(100 * $0.high, 1))" } ?? "–",
                judged?.lessBaseline?.text(1) ?? "–",
                judged?.lessBaseline?.excludingZero ?? "–", policy.kl?.text(1) ?? "–",
                series.agreement?.text(1, times: 100) ?? "–",
            ]
    }

    private func chart(_ name: String, _ series: [SweepSeries], _ judge: String, _ groups: [String]) -> String {
        BarChart(
            title: "Win rate of \(name), by \(judge).",
            caption: "Mean over runs, with their range; ▾ marks the worst-off group.",
            xLabel: "prompts won, %",
            groups: groups,
            policies: series.compactMap { own in
                guard let judged = own.policy(name)?.judged(by: judge) else { return nil }
                return (
                    own.name,
                    groups.map { group in
                        judged.winRates.first { $0.group == group }?.spread.interval
                    }
                )
            }
        ).html
    }
}
