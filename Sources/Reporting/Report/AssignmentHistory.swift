import Failures
import StrictJSON

/// Who was in which group in each iteration of EM, as heat maps: a row for each iteration, a column for each user.
///
/// Of two groups one map says all; of more there is one for each. Empty where the run has no record of it, as one of an
/// earlier version.
func assignmentHistory(_ run: ReportedRun) throws(Failure) -> String {
    guard let record = run.responsibilities else { return "" }
    let names = try record.strings("users")
    var iterations: [[[Double]]] = []
    for table in try record.array("iterations") {
        let rows = (table.array ?? []).map { $0.array?.compactMap(\.number) ?? [] }
        let groups = iterations.first?.first?.count ?? rows.first?.count ?? 0
        guard rows.count == names.count, rows.allSatisfy({ $0.count == groups && groups > 0 }) else {
            throw record.failure("iterations", "must have for each of \(names.count) users a number of each group")
        }
        iterations.append(rows)
    }
    guard iterations.count > 1, let last = iterations.last, let groups = last.first?.count, groups > 1 else {
        return ""
    }
    let order = last.indices.sorted { a, b in
        let (own, other) = (likeliest(last[a]), likeliest(last[b]))
        return own.group != other.group ? own.group < other.group : (-own.share, a) < (-other.share, b)
    }
    let labels = try groupNames(run.mixture, count: groups)
    let rows = iterations.indices.map { $0 == 0 ? "start" : "iteration \($0)" }
    return charts(
        (groups == 2 ? [1] : Array(0..<groups)).map { group in
            HeatMap(
                title: "Who was in \(labels[group]), and when?",
                caption:
                    "Responsibility of the group for each of \(names.count) users, from EM's start down to its end.",
                xLabel: "users, sorted by the end of EM",
                rows: rows,
                columns: order.map { user in (names[user], iterations.map { $0[user][group] }) }
            ).html
        }
    )
}

/// The group of the largest share.
func likeliest(_ shares: [Double]) -> (group: Int, share: Double) {
    shares.enumerated().max { $0.element < $1.element }.map { ($0.offset, $0.element) } ?? (0, 0)
}
