import Evaluation
import StrictJSON
import Testing

@testable import Runs

@Suite struct EvaluationFileTests {
    /// Two groups with long names and the longest objective.
    private let summary: EvaluationSummary = {
        func estimate(_ mean: Double) -> Estimate { Estimate(mean: mean, low: mean - 0.05, high: mean + 0.05) }
        func policy(_ name: String, _ rates: [Double], lessBaseline: Double?) -> PolicyEvaluation {
            let judged = JudgeEstimates(
                judge: "taste",
                winRate: zip(["enthusiastic", "matter-of-fact"], rates).map {
                    GroupEstimate(group: $0, estimate: estimate($1))
                },
                worstWinRate: estimate(rates.min() ?? 0),
                worstLessBaseline: lessBaseline.map(estimate),
                winRateAgainstSingle: []
            )
            return PolicyEvaluation(name: name, judges: [judged], kl: 3, meanTokens: 20, samples: [])
        }
        return EvaluationSummary(
            prompts: 8,
            baseline: "maxmin",
            policies: [
                policy("maxmin", [0.7, 0.6], lessBaseline: nil),
                policy("maxmin-uncalibrated", [0.9, 0.35], lessBaseline: -0.25),
            ],
            rewards: [],
            assignmentAgreement: nil
        )
    }()

    @Test func theWorstOffGroupStandsBesideTheBaselines() throws {
        let table = try #require(summary.tables.first { $0.hasPrefix("worst-off by taste") })
        #expect(table.contains("35.0 (30.0–40.0)  -25.0 (-30.0 to -20.0)"), "\(table)")
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(table)")
    }

    @Test func theFileNamesTheBaselineAndGivesItNoDifference() throws {
        let file = try JSONFields(summary.json, at: "evaluation.json")
        #expect(try file.string("baseline") == "maxmin")
        func judged(_ policy: String) throws -> JSONFields {
            try file.fields("policies").fields(policy).fields("by_judge").fields("taste")
        }
        #expect(try judged("maxmin").optionalFields("worst_less_baseline") == nil)
        #expect(try judged("maxmin").string("worst_group") == "matter-of-fact")
        let other = try judged("maxmin-uncalibrated")
        #expect(try other.fields("worst_less_baseline").double("high") == -0.2)
        #expect(try other.fields("worst_win_rate").double("low") == 0.35 - 0.05)
    }

    /// What a training did not reach, and what is only a bound, is said beside the divergence.
    @Test func theDivergenceSaysWhatItIs() throws {
        var summary = summary
        summary.policies[0].maxKL = 2
        summary.policies[0].matchesMaxKL = false
        summary.policies[1].maxKL = 2
        summary.policies[1].matchesMaxKL = true
        var best = summary.policies[1]
        best.name = "best-of-4"
        (best.kl, best.klIsBound, best.maxKL, best.matchesMaxKL) = (0.64, true, nil, nil)
        summary.policies.append(best)
        let table = try #require(summary.tables.first { $0.hasPrefix("win rate % by taste") })
        let rows = table.split(separator: "\n").dropFirst(2).map { $0.split(separator: "  ").suffix(2) }
        #expect(rows.map { row in row.first.map { $0.filter { $0 != " " } } } == ["3.0of2.0", "3.0", "≤0.6"])
        let file = try JSONFields(summary.json, at: "evaluation.json").fields("policies")
        #expect(try file.fields("maxmin").optionalBool("matches_max_kl") == false)
        #expect(try file.fields("maxmin").bool("kl_is_bound") == false)
        #expect(try file.fields("best-of-4").bool("kl_is_bound"))
        #expect(try file.fields("best-of-4").optionalDouble("max_kl") == nil)
    }
}
