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
                worst: Spread(runs.compactMap { $0.worst(by: judge)?.rate.mean })
            )
        }
    }

    func judged(by judge: String) -> SweepSeries.Judged? { judged.first { $0.judge == judge } }
}

/// Each name once, in the order of their first places.
func distinct(_ names: [String]) -> [String] {
    names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
}
