import Tensors
import Testing

@testable import LanguageModels

struct SettlingTests {
    /// Whatever a pass tells to be settled keeps its bits until its end, and all blocks are told of, the upper ones
    /// first.
    private static func check(_ model: LanguageModel, blocks: Int, backward: (PackedSequences) -> Void) {
        var told: [(start: Int, bits: [UInt32])] = []
        model.gradientReady = { start in
            told.append((start, Self.bits(of: model, from: start)))
        }
        let sequences = PackedSequences([[1, 5, 2, 7], [3, 3, 8]])
        for _ in 0..<2 {
            told = []
            backward(sequences)
            #expect(told.count == blocks)
            #expect(zip(told, told.dropFirst()).allSatisfy { $0.start > $1.start })
            for (start, bits) in told { #expect(bits == Self.bits(of: model, from: start)) }
            #expect(told.allSatisfy { $0.bits.contains { $0 & 0x7FFF_FFFF != 0 } })
        }
    }

    private static func bits(of model: LanguageModel, from start: Int) -> [UInt32] {
        let gradients = model.parameters.gradients
        return gradients.rows(start..<gradients.count).array().map(\.bitPattern)
    }

    private static func scores(_ model: LanguageModel) -> (PackedSequences) -> Void {
        { sequences in
            let rows: [Int32] = [0, 1, 4]
            _ = model.forwardTokenScores(sequences, rows: rows, temperature: 1)
            model.backwardTokenScores(dLogProbabilities: [1, -1, 0.5], dValues: [0.1, 0.2, 0.3])
        }
    }

    @Test(arguments: AdapterTests.configurations, [false, true])
    func fullModels(configuration: ModelConfiguration, checkpointing: Bool) {
        let model = LanguageModel(configuration, head: .value, precision: .float32, seed: 1)
        model.checkpointsActivations = checkpointing
        Self.check(model, blocks: 3, backward: Self.scores(model))
    }

    @Test(arguments: AdapterTests.configurations) func rewards(configuration: ModelConfiguration) {
        let model = LanguageModel(configuration, head: .reward, precision: .float32, seed: 1)
        Self.check(model, blocks: 3) { sequences in
            _ = model.forwardRewards(sequences)
            model.backwardRewards([1, -1])
        }
    }

    @Test(arguments: AdapterTests.configurations) func adaptersOfTheUpperBlocks(configuration: ModelConfiguration) {
        let base = LanguageModel(configuration, head: .none, precision: .float32, seed: 1)
        let adapters = AdapterSettings(rank: 2, alpha: 2, topLayers: 2)
        let model = base.copy(head: .value, trainable: .adapters(adapters), seed: 1)
        Self.check(model, blocks: 2, backward: Self.scores(model))
    }
}
