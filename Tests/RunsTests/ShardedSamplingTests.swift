import Collectives
import Failures
import LanguageModels
import Randomness
import Reporting
import Tensors
import Testing

@testable import Runs

struct ShardedSamplingTests {
    private static func context(_ communicator: any Communicator) throws -> RunContext {
        RunContext(
            configuration: try Configuration(yaml: "shards: 4", file: "test.yaml"),
            directory: RunDirectory(path: "nowhere"),
            communicator: communicator,
            progress: .silent,
            metrics: try MetricsWriter(appendingTo: nil)
        )
    }

    /// Every rank gets all samples in order, the same on any number of ranks.
    @Test func samplesDoNotDependOnRanks() throws {
        func samples(ranks: Int) throws -> [[Sample]] {
            try InProcessGroup.run(ranks: ranks) { communicator in
                let shape = ModelConfiguration(vocabularySize: 20, positions: 16, width: 8, layers: 1, heads: 2)
                let model = LanguageModel(shape, head: .none, precision: .float32, seed: 3)
                return try Self.context(communicator).sampleOverShards(
                    count: 11,
                    prompt: { [Int32($0), 1] },
                    from: model,
                    named: "model",
                    options: SamplingOptions(maxNewTokens: 5, stop: 0),
                    purpose: .evaluation
                )
            }
        }
        let alone = try samples(ranks: 1)[0]
        #expect(alone.count == 11)
        #expect(alone.allSatisfy { !$0.tokens.isEmpty && $0.tokens.count <= 5 })
        #expect(Set(alone.map(\.tokens)).count > 5)
        for ranks in 2...4 { #expect(try samples(ranks: ranks) == Array(repeating: alone, count: ranks)) }
    }

    /// A shard whose logits are not finite ends every rank, greedy or not.
    @Test(arguments: [Float(0), 1]) func noResponseComesOfLogitsThatAreNotFinite(temperature: Float) throws {
        let codes = try InProcessGroup.run(ranks: 2) { communicator in
            let shape = ModelConfiguration(vocabularySize: 20, positions: 16, width: 8, layers: 1, heads: 2)
            let model = LanguageModel(shape, head: .none, precision: .float32, seed: 3)
            // The embedding of token 3, which only one prompt ends in.
            model.parameters.values[3 * 8] = .nan
            model.parametersDidChange()
            let failure = #expect(throws: Failure.self) {
                try Self.context(communicator).sampleOverShards(
                    count: 4,
                    prompt: { [1, Int32($0)] },
                    from: model,
                    named: "model",
                    options: SamplingOptions(maxNewTokens: 1, temperature: temperature, stop: 0),
                    purpose: .evaluation
                )
            }
            return failure?.code
        }
        #expect(codes == [.internalError, .internalError])
    }

    @Test func listsArriveInOrderOfRank() throws {
        let gathered = try InProcessGroup.run(ranks: 3) { communicator in
            try Self.context(communicator).allGather([[], [Int32(communicator.rank), -70_000, .max, .min]])
        }
        let expected: [[Int32]] = (0..<3).flatMap { [[], [$0, -70_000, .max, .min]] }
        #expect(gathered == Array(repeating: expected, count: 3))
    }
}
