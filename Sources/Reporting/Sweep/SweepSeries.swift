import Failures

/// Mean and range of a figure over runs.
struct Spread: Equatable {
    let mean: Double
    let low: Double
    let high: Double
    let count: Int

    /// Nil of nothing.
    init?(_ values: [Double]) {
        guard let low = values.min(), let high = values.max() else { return nil }
        mean = values.reduce(0, +) / Double(values.count)
        self.low = low
        self.high = high
        count = values.count
    }

    /// `71 (65–73)`; of one run the figure alone.
    func text(_ decimals: Int, times factor: Double = 1) -> String {
        func shown(_ value: Double) -> String { decimal(factor * value, decimals) }
        return count == 1 ? shown(mean) : "\(shown(mean)) (\(shown(low))–\(shown(high)))"
    }

    /// The range in an interval's place, for charts.
    var interval: Interval { Interval(mean: mean, low: low, high: high) }
}

/// The runs of a sweep that differ in their seed only, summed up over those that were evaluated.
struct SweepSeries {
    /// What one judge says of one policy.
    struct Judged {
        let judge: String
        let winRates: [(group: String, spread: Spread)]
        /// Of each run's own worst-off group.
        let worst: Spread?
        /// From the lowest to the highest end of the runs' 95 % intervals of it.
        let worstInterval: Interval?
        /// How much higher it is than the baseline's.
        let lessBaseline: Difference?
    }

    /// Differences of several runs, each with a 95 % interval.
    struct Difference: Equatable {
        let spread: Spread
        /// How many intervals are below zero and above it.
        let below: Int
        let above: Int

        /// Nil of nothing.
        init?(_ intervals: [Interval]) {
            guard let spread = Spread(intervals.map(\.mean)) else { return nil }
            self.spread = spread
            below = intervals.count { $0.high < 0 }
            above = intervals.count { $0.low > 0 }
        }

        /// `-45 (-50 to -40)`, mean and range in points; of one run the figure alone.
        func text(_ decimals: Int) -> String {
            func shown(_ value: Double) -> String { decimal(100 * value, decimals) }
            let range = " (\(shown(spread.low)) to \(shown(spread.high)))"
            return shown(spread.mean) + (spread.count == 1 ? "" : range)
        }

        /// `3 below`, `1 above`, `3 below, 1 above` or `0`, of how many runs.
        var excludingZero: String {
            let parts = [(below, "below"), (above, "above")].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            return (parts.isEmpty ? "0" : parts.joined(separator: ", ")) + " of \(spread.count)"
        }
    }

    struct Policy {
        let name: String
        let judged: [Judged]
        let kl: Spread?
        let tokens: Spread?
    }

    let name: String
    /// How many runs were evaluated, of how many.
    let evaluated: Int
    let runs: Int
    let policies: [Policy]
    /// What the runs' worst-off groups are compared with, where it is the same in all.
    let baseline: String?
    let agreement: Spread?
}

extension SweepSeries {
    /// Sums runs of one series up.
    init(name: String, runs: [SweptRun]) throws(Failure) {
        var figures: [SweptFigures] = []
        for run in runs {
            if let own = try SweptFigures(of: run) { figures.append(own) }
        }
        self.name = name
        self.runs = runs.count
        evaluated = figures.count
        let baselines = distinct(figures.compactMap(\.baseline))
        baseline = baselines.count == 1 ? baselines[0] : nil
        agreement = Spread(figures.compactMap(\.agreement))
        let names = distinct(figures.flatMap { $0.policies.map(\.name) })
        policies = names.map { name in
            Policy(name, figures.compactMap { $0.policies.first { $0.name == name } })
        }
    }

    /// The series of a sweep, in the order of their first runs.
    static func all(of runs: [SweptRun]) throws(Failure) -> [SweepSeries] {
        var series: [SweepSeries] = []
        for name in distinct(runs.map(\.series)) {
            series.append(try SweepSeries(name: name, runs: runs.filter { $0.series == name }))
        }
        return series
    }

    func policy(_ name: String) -> Policy? { policies.first { $0.name == name } }
}

extension SweepSeries.Policy {
    /// Sums one policy of several runs up.
    fileprivate init(_ name: String, _ runs: [EvaluatedPolicy]) {
        self.name = name
        kl = Spread(runs.map(\.kl))
        tokens = Spread(runs.map(\.tokens))
        judged = distinct(runs.flatMap { $0.byJudge.map(\.judge) }).map { judge in
            let rates = runs.map { $0.winRates(by: judge) }
            let groups = distinct(rates.flatMap { $0.map(\.group) })
            return SweepSeries.Judged(
                judge: judge,
                winRates: groups.compactMap { group in
                    let own = rates.compactMap { $0.first { $0.group == group }?.rate.mean }
                    return Spread(own).map { (group, $0) }
                },
                worst: Spread(runs.compactMap { $0.worst(by: judge)?.rate.mean }),
                worstInterval: envelope(runs.compactMap { $0.judged(by: judge)?.worstRate }),
                lessBaseline: SweepSeries.Difference(runs.compactMap { $0.judged(by: judge)?.worstLessBaseline })
            )
        }
    }

    func judged(by judge: String) -> SweepSeries.Judged? { judged.first { $0.judge == judge } }
}

/// The least that holds all of some intervals, about the mean of their points; nil of none.
private func envelope(_ intervals: [Interval]) -> Interval? {
    guard let points = Spread(intervals.map(\.mean)), let low = intervals.map(\.low).min(),
        let high = intervals.map(\.high).max()
    else { return nil }
    return Interval(mean: points.mean, low: low, high: high)
}

/// Each name once, in the order of their first places.
func distinct(_ names: [String]) -> [String] {
    names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
}
