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
}
