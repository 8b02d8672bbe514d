package import Failures
package import StrictJSON

/// What the runs of a sweep came to.
package struct SweepReport {
    /// The sweep's file, its base configuration and its directory, as they were given.
    let file: String
    let base: String
    let directory: String
    let runs: [SweptRun]

    /// States what is to be reported.
    package init(file: String, base: String, directory: String, runs: [SweptRun]) {
        self.file = file
        self.base = base
        self.directory = directory
        self.runs = runs
    }

    /// The content of `sweep.json`.
    ///
    /// - Throws: `Failure` where an evaluation lacks what it must hold.
    package func json() throws(Failure) -> JSONValue {
        var objects: [JSONValue] = []
        for run in runs { objects.append(try json(of: run)) }
        return [
            "sweep": .string(file), "base": .string(base), "directory": .string(directory),
            "runs": .array(objects), "summary": .array(try SweepSeries.all(of: runs).map(\.json)),
        ]
    }

    private func json(of run: SweptRun) throws(Failure) -> JSONValue {
        var values = JSONObject()
        for (key, text) in run.values { values[key] = .string(text) }
        let figures = try SweptFigures(of: run)
        var policies = JSONObject()
        for policy in figures?.policies ?? [] { policies[policy.name] = policy.sweepJSON }
        return [
            "index": .integer(run.index), "name": .string(run.name), "directory": .string(run.directory),
            "values": .object(values), "state": .string(run.state),
            "exit_code": run.exitCode.map(JSONValue.integer) ?? .null,
            "message": run.message.map(JSONValue.string) ?? .null,
            "assignment_agreement": JSONValue(optional: figures?.agreement),
            "policies": .object(policies),
        ]
    }
}

extension EvaluatedPolicy {
    fileprivate var sweepJSON: JSONValue {
        var judges = JSONObject()
        for own in byJudge {
            var byGroup = JSONObject()
            for (group, rate) in own.winRates { byGroup[group] = .number(rate.mean) }
            let worst = worst(by: own.judge)
            judges[own.judge] = [
                "win_rate": .object(byGroup),
                "worst_group": worst.map { .string($0.group) } ?? .null,
                "worst_win_rate": own.worstRate?.json ?? JSONValue(optional: worst?.rate.mean),
                "worst_less_baseline": own.worstLessBaseline?.json ?? .null,
            ]
        }
        return ["by_judge": .object(judges), "kl": .number(kl), "mean_tokens": .number(tokens)]
    }
}

extension SweepSeries {
    fileprivate var json: JSONValue {
        var byPolicy = JSONObject()
        for policy in policies {
            var judges = JSONObject()
            for judged in policy.judged {
                var rates = JSONObject()
                for (group, spread) in judged.winRates { rates[group] = spread.json }
                judges[judged.judge] = [
                    "win_rate": .object(rates), "worst_win_rate": judged.worst?.json ?? .null,
                    "worst_win_rate_intervals": judged.worstInterval?.json ?? .null,
                    "worst_less_baseline": judged.lessBaseline?.json ?? .null,
                ]
            }
            byPolicy[policy.name] = [
                "by_judge": .object(judges), "kl": policy.kl?.json ?? .null,
                "mean_tokens": policy.tokens?.json ?? .null,
            ]
        }
        return [
            "name": .string(name), "runs": .integer(runs), "evaluated": .integer(evaluated),
            "assignment_agreement": agreement?.json ?? .null, "policies": .object(byPolicy),
        ]
    }
}

extension SweepSeries.Difference {
    /// `{mean, low, high, runs, below_zero, above_zero}`.
    fileprivate var json: JSONValue {
        [
            "mean": .number(spread.mean), "low": .number(spread.low), "high": .number(spread.high),
            "runs": .integer(spread.count), "below_zero": .integer(below), "above_zero": .integer(above),
        ]
    }
}

extension Interval {
    /// `{mean, low, high}`.
    fileprivate var json: JSONValue { ["mean": .number(mean), "low": .number(low), "high": .number(high)] }
}

extension Spread {
    /// `{mean, low, high}`.
    fileprivate var json: JSONValue { ["mean": .number(mean), "low": .number(low), "high": .number(high)] }
}
