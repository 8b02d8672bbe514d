import Failures
import StrictJSON

/// A policy of `evaluation.json`.
struct EvaluatedPolicy {
    let name: String
    let kl: Double
    /// Whether the divergence is no more than that, as is known of best of n.
    let klIsBound: Bool
    /// The divergence at which its training was to end, where it did not get there.
    let missedKL: Double?
    let tokens: Double
    /// Against the reference, by the first judge.
    let winRates: [(group: String, rate: Interval)]
    let againstSingle: [(group: String, rate: Interval)]
    let byJudge: [Judged]
    let samples: [(prompt: String, response: String, utilities: [(group: String, value: Double)])]

    var shownKL: String { divergenceText(kl, isBound: klIsBound, missed: missedKL) }

    /// What one judge says of it.
    struct Judged {
        let judge: String
        let winRates: [(group: String, rate: Interval)]
        /// The lowest win rate, and how much higher it is than the baseline's, paired by prompts; nil in files of
        /// earlier versions, and the second of the baseline itself.
        let worstRate: Interval?
        let worstLessBaseline: Interval?
    }

    var worstRate: Interval? { byJudge.first?.worstRate }
    var worstLessBaseline: Interval? { byJudge.first?.worstLessBaseline }

    /// The group with the lowest win rate.
    var worst: (group: String, rate: Interval)? { winRates.min { $0.rate.mean < $1.rate.mean } }
}

/// The policies of `evaluation.json`, the reference first.
func policies(of evaluation: JSONFields) throws(Failure) -> [EvaluatedPolicy] {
    let all = try evaluation.fields("policies")
    var policies: [EvaluatedPolicy] = []
    for name in all.object.keys { policies.append(try EvaluatedPolicy(name, all.fields(name))) }
    return policies
}

/// `2.0` nats, `≤ 2.0` of a bound, or `1.5 of 2.0` where training missed the divergence at which it was to end.
package func divergenceText(_ kl: Double, isBound: Bool, missed: Double?) -> String {
    (isBound ? "≤ " : "") + shownNats(kl) + (missed.map { " of \(shownNats($0))" } ?? "")
}

/// A divergence with one decimal or, where it is small, with three.
package func shownNats(_ kl: Double) -> String { decimal(kl, kl >= 0.0005 && kl < 0.095 ? 3 : 1) }

extension EvaluatedPolicy {
    fileprivate init(_ name: String, _ fields: JSONFields) throws(Failure) {
        self.name = name
        kl = try fields.double("kl")
        klIsBound = try fields.optionalBool("kl_is_bound") ?? false
        missedKL = try fields.optionalBool("matches_max_kl") == false ? fields.optionalDouble("max_kl") : nil
        tokens = try fields.double("mean_tokens")
        winRates = try intervals(fields.fields("win_rate"))
        againstSingle = try intervals(fields.fields("win_rate_against_single"))
        var byJudge: [Judged] = []
        if let judges = try fields.optionalFields("by_judge") {
            for judge in judges.object.keys {
                let own = try judges.fields(judge)
                byJudge.append(
                    Judged(
                        judge: judge,
                        winRates: try intervals(own.fields("win_rate")),
                        worstRate: try own.optionalFields("worst_win_rate").map(Interval.init),
                        worstLessBaseline: try own.optionalFields("worst_less_baseline").map(Interval.init)
                    )
                )
            }
        }
        self.byJudge = byJudge
        var samples: [(prompt: String, response: String, utilities: [(group: String, value: Double)])] = []
        for sample in try fields.fieldsList("samples") {
            var utilities: [(group: String, value: Double)] = []
            if let own = try sample.optionalFields("utility") {
                for group in own.object.keys { utilities.append((group, try own.double(group))) }
            }
            samples.append((try sample.string("prompt"), try sample.string("response"), utilities))
        }
        self.samples = samples
    }
}

/// The figures of each group, in their order.
func intervals(_ groups: JSONFields) throws(Failure) -> [(group: String, rate: Interval)] {
    var all: [(group: String, rate: Interval)] = []
    for group in groups.object.keys {
        guard let estimate = try groups.optionalFields(group) else { continue }
        all.append((group, try Interval(estimate)))
    }
    return all
}

extension Interval {
    /// `{mean, low, high}`.
    fileprivate init(_ fields: JSONFields) throws(Failure) {
        mean = try fields.double("mean")
        low = try fields.double("low")
        high = try fields.double("high")
    }
}
