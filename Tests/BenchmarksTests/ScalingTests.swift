import Collectives
import LanguageModels
import ModelFiles
import StrictJSON
import Tensors
import Testing

@testable import Benchmarks

@Suite struct ScalingTests {
    static let shape = ModelConfiguration(vocabularySize: 32, positions: 16, width: 8, layers: 1, heads: 2)

    /// Each stage's step runs on any number of ranks, and its time is split without remainder.
    @Test(arguments: ScalingStage.allCases, [1, 3])
    func everyStageIsMeasured(stage: ScalingStage, ranks: Int) throws {
        let points = try InProcessGroup.run(ranks: ranks) { communicator in
            try measureScaling(
                of: stage,
                model: LanguageModel(Self.shape, head: .none, precision: .float32, seed: 1),
                load: ScalingLoad(shards: 4, batch: 4, length: 9),
                threads: 1,
                repeats: 1,
                communicator: communicator
            )
        }
        for point in points {
            #expect(point.ranks == ranks && point.shards == 4 && point.stage == stage)
            #expect(point.seconds > 0 && point.compute.minimum > 0)
            #expect((point.allReduceSeconds ?? 0 > 0) == (ranks > 1 && stage != .score))
            for spread in [point.compute, point.communication, point.imbalance] {
                #expect(spread.minimum >= 0 && spread.minimum <= spread.mean && spread.mean <= spread.maximum)
            }
            // Every stage but the E-step sums the gradients of all parameters of each model: a rank sends all slices
            // but its own. (The model is shorter than two slices: the last rank has all of it and sends it to the
            // others.)
            let models = stage == .score ? 0 : stage == .reward ? 2 : 1
            let gradients = models * Self.shape.parameterCount(head: .none)
            #expect(point.bytes >= (ranks == 1 ? 0 : 4 * gradients))
            #expect(ranks == 1 || point.collectives >= 1)
            #expect(try ScalingPoint(json: JSONValue.object(point.json)) == point)
        }
    }

    @Test func efficiencyIsTheMedianOfRatiosWithinRounds() {
        func point(_ ranks: Int, _ seconds: Double) -> ScalingPoint {
            let none = Spread([0])
            return ScalingPoint(
                stage: .sft,
                ranks: ranks,
                shards: 4,
                threads: 1,
                seconds: seconds,
                allReduceSeconds: nil,
                compute: none,
                communication: none,
                imbalance: none,
                bytes: 0,
                collectives: 0
            )
        }
        // The second round met a busy machine: ratios within it still hold.
        let rounds = [[point(1, 1), point(1, 10), point(1, 1)], [point(2, 2), point(2, 20), point(2, 1.25)]]
        #expect(ScalingSeries(kind: .weak, stage: .sft, points: rounds).efficiencies == [1, 0.5])
        #expect(ScalingSeries(kind: .strong, stage: .sft, points: rounds).efficiencies == [1, 0.25])
        #expect(median([3, 1, 2, 10]) == 2.5)
    }

    /// GPT-2's own numbers, counted by hand: 124,439,808 parameters, 84,934,656 of them in the blocks' matrices.
    @Test func costsAreThoseCountedByHand() throws {
        var model = CostModel(shape: try #require(ModelPreset.named("gpt2")), stage: .reward)
        model.groups = 3
        model.tokensPerRank = 1000
        model.ranksPerNode = 2
        model.rates = MachineRates()
        model.rates.memory = 28e9
        model.rates.training = 1e11
        model.rates.shared = 1e9
        model.rates.link = 1e10
        model.rates.linkLatency = 1e-3
        model.rates.sharedLatency = 1e-4
        model.rates.cores = 2
        #expect(model.parameters == 124_439_808)
        #expect(model.gradientBytes == 12 * 124_439_808)

        let alone = model.costs(ranks: 1)
        // 3 groups · 1000 tokens · 6 · 84,934,656 operations, and 3 · 124,439,808 updates of 28 bytes.
        #expect(close(alone.computeSeconds, 1000 * 3 * 6 * 84_934_656 / 1e11 + 3 * 0.124439808))
        #expect(alone.communicationSeconds == 0 && alone.bytes == 0 && alone.messages == 0)

        // 4 nodes of 2 ranks: one exchange of the three within a node.
        let costs = model.costs(ranks: 8)
        let gradients = 12.0 * 124_439_808
        #expect(close(costs.bytes, 2 * gradients * 7 / 8))
        #expect(costs.messages == 6)
        #expect(
            close(
                costs.communicationSeconds,
                2 * gradients / 2 / 1e9 + 2 * gradients * 2 * 3 / 4 / 1e10 + 2 * 1e-4 + 4 * 1e-3
            )
        )
        #expect(costs.memory.first { $0.component == "moments" }?.bytes == 2 * gradients / 8)
        // Of each group bf16 weights, fp32 ones of an eighth, and an eighth of the best; and the first.
        let ofGroup: Double = (2 + 0.5 + 0.5) * 124_439_808
        let weights: Double = 3 * ofGroup + 4 * 124_439_808
        #expect(close(costs.memory.first { $0.component == "weights" }?.bytes ?? 0, weights))
        #expect(costs.sharedMemory == 0)

        model.trained = .lora(rank: 8)
        // Of each of 12 layers: (768 + 2304) + (768 + 768) + 2 · (768 + 3072).
        #expect(model.trainedParameters == 8 * 12 * 12_288)
        #expect(model.costs(ranks: 8).sharedMemory == 2 * 124_439_808)
        model.trained = .head
        #expect(model.trainedParameters == 768)
        #expect(model.costs(ranks: 1).computeSeconds < alone.computeSeconds / 2.9)
        model.stage = .score
        #expect(model.gradientBytes == 0)
    }

    /// Llama-2-7B's parameters, and its adapters of rank 16 on every matrix, as `peft` counts them.
    @Test func adaptersAreCountedAsPEFTCounts() throws {
        var model = CostModel(shape: try #require(ModelPreset.named("tulu2-7b")), stage: .policy)
        model.trained = .lora(rank: 16)
        #expect(model.trainedParameters == 39_976_960)
        #expect(abs(model.parameters - 6_738_415_616) < 1e6)
        #expect(model.gradientBytes == 4 * 39_976_960)
    }

    /// More threads than cores take turns; ranks on their own nodes do not.
    @Test func ranksShareCores() throws {
        var model = CostModel(shape: try #require(ModelPreset.named("gpt2-mini")), stage: .score)
        model.rates.cores = 2
        model.ranksPerNode = 8
        let alone = model.costs(ranks: 1).computeSeconds
        #expect(close(model.costs(ranks: 2).computeSeconds, alone))
        #expect(close(model.costs(ranks: 8).computeSeconds, 4 * alone))
        model.ranksPerNode = 1
        #expect(close(model.costs(ranks: 8).computeSeconds, alone))
    }

    private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * abs(b) }
}
