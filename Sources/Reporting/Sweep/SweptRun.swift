import Failures
import StrictJSON

/// A run of a sweep, for the sweep's report.
package struct SweptRun {
    /// Its place in the grid, from 1.
    package let index: Int
    package let name: String
    /// What it shares with the runs that differ from it in the seed only.
    package let series: String
    /// What the grid gives it, as YAML.
    package let values: [(key: String, text: String)]
    /// One word.
    package let state: String
    /// Its run directory.
    package var directory = ""
    /// What its last start failed with.
    package var exitCode: Int?
    /// Why it is as its state says, where that is known.
    package var message: String?
    /// What it left; nil where it is not done.
    package var record: ReportedRun?

    /// A run of which nothing else is known yet.
    package init(index: Int, name: String, series: String, values: [(key: String, text: String)], state: String) {
        self.index = index
        self.name = name
        self.series = series
        self.values = values
        self.state = state
    }
}

/// The figures of a finished run that a sweep compares.
struct SweptFigures {
    let policies: [EvaluatedPolicy]
    /// The policy that the others' worst-off groups are compared with.
    let baseline: String?
    /// Share of users in the group of their label.
    let agreement: Double?

    /// Nil where the run was not evaluated.
    init?(of run: SweptRun) throws(Failure) {
        guard let evaluation = run.record?.evaluation else { return nil }
        policies = try Reporting.policies(of: evaluation)
        baseline = try evaluation.optionalString("baseline")
        agreement = try evaluation.optionalDouble("assignment_agreement")
    }
}

extension EvaluatedPolicy {
    /// A judge's win rates against the reference, group by group.
    func winRates(by judge: String) -> [(group: String, rate: Interval)] { judged(by: judge)?.winRates ?? [] }

    /// All that a judge says of it.
    func judged(by judge: String) -> Judged? { byJudge.first { $0.judge == judge } }

    /// The group with the lowest of a judge's win rates.
    func worst(by judge: String) -> (group: String, rate: Interval)? {
        winRates(by: judge).min { $0.rate.mean < $1.rate.mean }
    }
}
