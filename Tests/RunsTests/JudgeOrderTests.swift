import Evaluation
import Testing

@testable import Runs

@Suite struct JudgeOrderTests {
    /// Groups stand in the order of the first kind of judge, each with its own utilities; others come last.
    @Test func groupsKeepTheirColumns() throws {
        func judge(_ kind: String, _ group: String, _ utility: Double) -> GroupJudge {
            GroupJudge(kind: kind, group: group, judge: Judge(name: group) { $0.map { _ in utility } })
        }
        let judges = [
            judge("taste", "warm", 1), judge("taste", "formal", 2), judge("reward", "group-2", 5),
            judge("reward", "formal", 4), judge("reward", "warm", 3),
        ]
        let response = JudgedResponse(prompt: "p", response: "r", promptTokens: [1], responseTokens: [2])
        let kinds = try judgedBy(judges, [PolicyAnswers(name: "reference", responses: [[response]], kl: 0)])
        #expect(kinds.map(\.kind) == ["taste", "reward"])
        #expect(kinds.map(\.groups) == [["warm", "formal"], ["warm", "formal", "group-2"]])
        #expect(kinds.map { $0.utilities.map { $0[0][0][0] } } == [[1, 2], [3, 4, 5]])
    }
}
