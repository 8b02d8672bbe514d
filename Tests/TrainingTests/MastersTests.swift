import Collectives
import LanguageModels
import Optimizers
import Tensors
import Testing

@testable import Training

/// Models that ranks train whole in bf16, each with fp32 weights of its slice alone.
struct MastersTests {
    private static let configurations = [
        ModelConfiguration(vocabularySize: 40, positions: 24, width: 64, layers: 3, heads: 4),
        ModelConfiguration(
            vocabularySize: 40,
            positions: 24,
            width: 64,
            layers: 3,
            heads: 4,
            innerWidth: 128,
            family: .llama(LlamaShape(keyValueHeads: 2, headWidth: 16, tiesEmbeddings: false))
        ),
    ]

    private struct Outcome: Sendable {
        /// Of what passes read, after training.
        let scores: [UInt32]
        let replicas: [[UInt32]]
        /// Whether fp32 weights were missing in training.
        let lacked: Bool
        /// All weights, gathered.
        let weights: [UInt32]
        let scoresAfterwards: [UInt32]
    }

    /// Two updates, with gradients that come from nowhere.
    private static func train(_ configuration: ModelConfiguration, ranks: Int, resuming: Bool = false) throws
        -> [Outcome]
    {
        try InProcessGroup.run(ranks: ranks) { communicator in
            let model = LanguageModel(configuration, head: .value, precision: .bfloat16, seed: 3)
            let optimizer = AdamW(training: model, OptimizerSettings(), by: .reproducible, over: communicator)
            for step in 1...2 {
                for i in optimizer.slice.joined() { model.parameters.gradients[i] = Float((i * step) % 29) / 7 - 2 }
                _ = try optimizer.update(learningRate: 0.05, over: communicator)
                model.parametersDidChange()
                if resuming { try model.resumeTraining(by: optimizer, updates: step, over: communicator) }
            }
            let (scores, replicas) = (Self.scores(model), model.replicas.map(Self.bits))
            let lacked = model.masters != nil
            try model.gatherMasters(of: optimizer, over: communicator)
            return Outcome(
                scores: scores,
                replicas: replicas,
                lacked: lacked,
                weights: bits(model.parameters.values),
                scoresAfterwards: Self.scores(model)
            )
        }
    }

    private static func bits(_ tensor: Tensor) -> [UInt32] { tensor.array().map(\.bitPattern) }

    private static func scores(_ model: LanguageModel) -> [UInt32] {
        let sequences = PackedSequences([[1, 5, 2, 7], [3, 3, 8]])
        return model.tokenScores(of: sequences, rows: [0, 1, 2, 4, 5], temperature: 1).logProbabilities.map(
            \.bitPattern
        )
    }

    @Test(arguments: configurations, [false, true])
    func trainingHasTheBitsOfOneRank(configuration: ModelConfiguration, resuming: Bool) throws {
        let alone = try Self.train(configuration, ranks: 1)[0]
        #expect(!alone.lacked && alone.scores == alone.scoresAfterwards)
        for ranks in 2...4 {
            let together = try Self.train(configuration, ranks: ranks, resuming: resuming)
            for rank in together {
                #expect(rank.lacked && rank.replicas == together[0].replicas)
                #expect(rank.scores == alone.scores && rank.scoresAfterwards == alone.scores)
                #expect(rank.weights == alone.weights)
            }
        }
    }

    /// Everything that is read in fp32 is left whole.
    @Test(arguments: configurations) func matricesAndEmbeddingsAreSliced(configuration: ModelConfiguration) {
        let entries = Parameters.layout(configuration, head: .value)
        let ranges = Parameters.matrixRanges(of: configuration, head: .value)
        let sliced = entries.filter { entry in ranges.contains { $0.contains(entry.offset) } }
        #expect(sliced.map(\.name) == entries.filter { $0.shape.count == 2 && $0.name != "value.weight" }.map(\.name))
        #expect(ranges.reduce(0) { $0 + $1.count } == sliced.reduce(0) { $0 + $1.count })
    }
}
