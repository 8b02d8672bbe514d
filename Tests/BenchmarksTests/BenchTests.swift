import Collectives
import LanguageModels
import StrictJSON
import Testing

@testable import Benchmarks

@Suite struct BenchTests {
    static let shape = ModelConfiguration(vocabularySize: 32, positions: 24, width: 8, layers: 1, heads: 2)

    static func size() -> BenchSize {
        var size = BenchSize()
        size.pairs = 3
        size.length = 5...12
        size.batch = 4
        size.prompt = 3
        size.new = 6
        size.groups = 2
        size.epochs = 2
        size.mebibytes = 1
        return size
    }

    static func results(_ task: BenchTask, ranks: Int, _ size: BenchSize = size()) throws -> [BenchResult] {
        try InProcessGroup.run(ranks: ranks) { communicator in
            try bench(
                task,
                model: LanguageModel(shape, head: .none, precision: .float32, seed: 1),
                named: "tiny",
                size: size,
                repeats: 2,
                threads: 1,
                communicator: communicator
            )
        }
    }

    @Test(arguments: BenchTask.allCases, [1, 2])
    func everyTaskIsTimedAndSplit(task: BenchTask, ranks: Int) throws {
        let results = try Self.results(task, ranks: ranks)
        // So few weights are one rank's to update.
        let updates = [.rewardStep, .policyStep, .emIteration].contains(task)
        #expect(results.contains { $0.timeByKind.optimizer > 0 } == updates)
        for result in results {
            #expect(result.ranks == ranks && result.medianSeconds >= result.minimumSeconds && result.minimumSeconds > 0)
            let kinds = result.timeByKind
            #expect((kinds.products > 0) == (task != .allReduce))
            #expect((kinds.attention > 0) == (task != .allReduce && task != .gemm))
            #expect((kinds.communication > 0) == (task == .emIteration || task == .allReduce && ranks > 1))
            #expect((result.gemmOperationsPerSecond != nil) == (task != .gemm && task != .allReduce))
            #expect(result.json["seconds_by_kind"]?.object?["products"]?.number == kinds.products)
        }
    }

    /// Lengths spread evenly from 5 to 12: 5, 8 and 12 tokens, two sequences each.
    @Test func tokensAreCounted() throws {
        let model = LanguageModel(Self.shape, head: .none, precision: .float32, seed: 1)
        func tokens(_ task: BenchTask) throws -> Int {
            try task.work(model: model, size: Self.size(), communicator: SoloCommunicator()).tokens
        }
        #expect(try tokens(.score) == 2 * (5 + 8 + 12))
        #expect(try tokens(.rewardStep) == 2 * (5 + 8 + 12))
        #expect(try tokens(.emIteration) == 8 * 2 * (5 + 8 + 12) * 2 * (2 + 1))
        #expect(try tokens(.generate) == 4 * 6)
        #expect(try tokens(.policyStep) == 4 * 6)
    }

    @Test func whatExceedsTheContextIsRefused() throws {
        var size = Self.size()
        size.length = 5...25
        #expect(throws: (any Error).self) { try Self.results(.score, ranks: 1, size) }
        #expect(throws: Never.self) { try Self.results(.generate, ranks: 1, size) }
    }
}
