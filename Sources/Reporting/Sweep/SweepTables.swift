package import Failures

/// Columns of a terminal.
private let tableWidth = 80
/// A series whose name is longer is called by its number.
private let longestLabel = 20

extension SweepReport {
    /// For people: how many runs are done, and for each policy mean and range over runs, in 80 columns.
    ///
    /// The judge is the first of the evaluation's.
    ///
    /// - Throws: `Failure` where an evaluation lacks what it must hold.
    package func tables() throws(Failure) -> String {
        let series = try SweepSeries.all(of: runs)
        let isShort = series.allSatisfy { $0.name.count <= longestLabel }
        let labels = series.indices.map { isShort ? series[$0].name : "series \($0 + 1)" }
        var parts = ["\(runs.filter { $0.state == "done" }.count) of \(runs.count) runs done"]
        parts += runs.filter { $0.state != "done" }.map { run in
            "run \(run.index), \(run.name): \(run.state)" + (run.message.map { ": \($0)" } ?? "")
        }
        if !isShort { parts += zip(labels, series).map { "\($0): \($1.name)" } }
        parts += zip(labels, series).compactMap { label, own in
            own.agreement.map {
                "\(label): \($0.text(1, times: 100)) % of users in the group of their label, "
                    + "\(own.evaluated) of \(own.runs) runs"
            }
        }
        let lines = parts.map { "\($0)\n" }.joined()
        let tables = distinct(series.flatMap { $0.policies.map(\.name) }).flatMap { name in
            policyTables(name, Array(zip(labels, series)))
        }
        return ([lines] + tables).joined(separator: "\n")
    }

    /// One policy's figures, a line a series; as many tables beside each other's columns as 80 columns need.
    private func policyTables(_ name: String, _ series: [(label: String, figures: SweepSeries)]) -> [String] {
        let rows = series.compactMap { label, figures in figures.policy(name).map { (label: label, policy: $0) } }
        guard let judge = rows.first?.policy.judged.first?.judge else { return [] }
        let groups = distinct(rows.flatMap { $0.policy.judged(by: judge)?.winRates.map(\.group) ?? [] })
        var columns = groups.map { group in
            (
                head: group,
                cells: rows.map { row in
                    row.policy.judged(by: judge)?.winRates.first { $0.group == group }?.spread.text(0, times: 100)
                        ?? "–"
                }
            )
        }
        columns.append(
            ("worst-off", rows.map { $0.policy.judged(by: judge)?.worst?.text(0, times: 100) ?? "–" })
        )
        let judged = rows.map { $0.policy.judged(by: judge) }
        columns.append(
            ("its intervals", judged.map { $0?.worstInterval.map { "\(points($0.low))–\(points($0.high))" } ?? "–" })
        )
        if judged.contains(where: { $0?.lessBaseline != nil }) {
            let baselines = distinct(series.compactMap(\.figures.baseline))
            columns.append(
                (
                    "less \(baselines.count == 1 ? baselines[0] : "baseline")'s",
                    judged.map { $0?.lessBaseline?.text(0) ?? "–" }
                )
            )
            columns.append(("without 0", judged.map { $0?.lessBaseline?.excludingZero ?? "–" }))
        }
        columns.append(("KL nats", rows.map { $0.policy.kl?.text(1) ?? "–" }))
        let heading = "\(name), win rate % by \(judge)"
        var tables: [String] = []
        while !columns.isEmpty {
            var count = columns.count
            while count > 1, width(of: columns.prefix(count), beside: rows.map(\.label)) > tableWidth { count -= 1 }
            var table = Table([""] + columns.prefix(count).map(\.head))
            for (index, row) in rows.enumerated() {
                table.add([row.label] + columns.prefix(count).map { $0.cells[index] })
            }
            tables.append("\(heading)\n\(table.text)")
            columns.removeFirst(count)
        }
        return tables
    }

    private func points(_ share: Double) -> String { decimal(100 * share, 0) }

    private func width(of columns: ArraySlice<(head: String, cells: [String])>, beside labels: [String]) -> Int {
        let label = labels.map(\.count).max() ?? 0
        return columns.reduce(label) { $0 + 2 + (([$1.head] + $1.cells).map(\.count).max() ?? 0) }
    }
}
