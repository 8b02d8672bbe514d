import Collectives
import Foundation
import LanguageModels
import StrictJSON
import Tensors
import Testing

@testable import Benchmarks

/// What a step of a small model may allocate and copy, once it has run before: `Tests/Fixtures/Runs/step-budget.json`.
///
/// Counts, so the same on any machine. A step that needs less fails too: lower its budget, so that it cannot grow back
/// unseen.
@Suite struct BudgetTests {
    static let shape = ModelConfiguration(vocabularySize: 64, positions: 24, width: 16, layers: 3, heads: 2)
    static let tasks: [BenchTask] = [.rewardStep, .score, .generate, .policyStep]

    @Test(arguments: tasks, [Precision.float32, .bfloat16])
    func stepsKeepToTheirBudget(task: BenchTask, precision: Precision) throws {
        let result = try bench(
            task,
            model: LanguageModel(Self.shape, head: .none, precision: precision, seed: 1),
            named: "small",
            size: BenchTests.size(),
            repeats: 1,
            threads: 1,
            communicator: SoloCommunicator()
        )
        let budget = try #require(Self.budget()[precision.rawValue]?.object?[task.rawValue]?.object)
        #expect(result.allocations == budget["allocations"]?.number.map { Int($0) })
        #expect(result.copiedBytes == budget["copied_bytes"]?.number.map { Int($0) })
    }

    private static func budget() throws -> JSONObject {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/Runs/step-budget.json")
        return try #require(JSONValue(contentsOfFile: file.path).object)
    }
}
