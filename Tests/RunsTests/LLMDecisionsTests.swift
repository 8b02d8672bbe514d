import Evaluation
import Failures
import Judging
import Testing

@testable import Runs

@Suite struct LLMDecisionsTests {
    /// Responses of policies to two prompts, two each.
    func answers(_ texts: [String: [[String]]], order: [String]) -> [PolicyAnswers] {
        order.map { name in
            let responses = (texts[name] ?? []).enumerated().map { prompt, own in
                own.map {
                    JudgedResponse(prompt: "p\(prompt)", response: $0, promptTokens: [1], responseTokens: [2])
                }
            }
            return PolicyAnswers(name: name, responses: responses, kl: 0)
        }
    }

    /// Response i meets response i; every policy meets the reference and the single-reward policy, not itself.
    @Test func eachPolicyMeetsReferenceAndSingle() {
        let all = answers(
            [
                "reference": [["r0", "r1"], ["r2", "r3"]], "maxmin": [["m0", "r1"], ["m2", "m3"]],
                "single": [["s"], ["s"]],
            ],
            order: ["reference", "maxmin", "single"]
        )
        let asked = questions(all, rubrics: ["short", "kind"])
        #expect(asked.count == 2 * (4 + 2 + 2 + 2))
        #expect(asked[0] == PreferenceQuestion(rubric: "short", prompt: "p0", first: "m0", second: "r0"))
        #expect(!asked.contains { $0.first == "s" && $0.second == "s" })
        var wins: [PreferenceQuestion: Double] = [:]
        for question in asked {
            let isWon = question.first == "m0" || question.rubric == "kind"
            wins[question] = question.first == question.second ? 0.5 : isWon ? 1 : 0
        }
        let use = LLMUse(
            model: "m",
            requests: 0,
            cached: 0,
            promptTokens: 0,
            completionTokens: 0,
            cost: nil,
            pairs: 0,
            contradicted: 0,
            unanswered: 0
        )
        let decided = LLMDecisions(groups: ["a", "b"], rubrics: ["short", "kind"], wins: wins, use: use, warnings: [])
        let kind = decided.kind(of: all)
        #expect(kind.kind == "llm" && kind.groups == ["a", "b"] && kind.utilities.isEmpty)
        #expect(kind.wins(1, 0) == [[0.75, 0], [0.75, 1]])
        // Against itself every pair is a tie.
        #expect(kind.wins(0, 0) == [[0.5, 0.5], [0.5, 0.5]])
    }

    @Test func everyGroupNeedsARubric() throws {
        let yaml = """
            evaluate:
              judges: [llm]
              llm:
                url: http://127.0.0.1:8000/v1
                model: m
                rubrics: [{ group: concise, text: short }, { group: positve, text: kind }]
            """
        let section = try Configuration(yaml: yaml, file: "run.yaml").evaluate.llm
        #expect(try section.rubrics(for: ["concise"]) == ["short"])
        #expect(throws: Failure.self) { try section.rubrics(for: ["concise", "positive"]) }
        #expect(
            section.warnings(for: ["concise", "positive"]) == [
                "evaluate.llm.rubrics: there is no group positve, so its rubric is not used; did you mean positive?"
            ]
        )
    }

    @Test func whatTheJudgeNeedsIsTold() {
        let missing = problems("{ run: { stages: [evaluate] }, evaluate: { judges: [llm] } }")
        #expect(missing.count == 3 && missing[0].hasPrefix("evaluate.llm.url: is missing"))
        #expect(problems("{ run: { stages: [policy] }, evaluate: { judges: [llm] } }").isEmpty)
        let doubled = "[{ group: a, text: x }, { group: a, text: y }]"
        let rest = "url: http://h/v1, model: m"
        #expect(
            problems(
                "{ run: { stages: [evaluate] }, evaluate: { judges: [llm], llm: { \(rest), rubrics: \(doubled) } } }"
            ) == ["evaluate.llm.rubrics: two are for the same group"]
        )
    }

    /// How requests are sent changes no result, so a run may be resumed with other values.
    @Test func howAJudgeIsReachedIsNoResult() throws {
        func keys(_ extra: String) throws -> [String: String] {
            let yaml = "{ evaluate: { judges: [llm], llm: { url: http://h/v1, model: m, \(extra) } } }"
            return try Configuration(yaml: yaml, file: "run.yaml", overrides: ["run.stages=[policy]"])
                .resultKeys(upTo: .evaluate)
        }
        let standard = try keys("temperature: 0")
        let sent =
            "retries: 1, timeout: 5, concurrency: 9, backoff: 3, key_variable: K, prompt_price: 1, completion_price: 2"
        #expect(try keys(sent) == standard)
        #expect(try keys("temperature: 1") != standard)
        #expect(try keys("rubrics: [{ group: a, text: x }]") != standard)
    }
}
