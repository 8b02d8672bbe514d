import Collectives
import LanguageModels
import Optimizers
import Preferences
import Tensors
import Testing

@testable import RewardMixture

/// What is kept of the trunk changes nothing but the time.
@Suite struct TrunkCacheTests {
    /// Keeps tensors in memory, and counts.
    final class Spill: SpillStorage {
        var kept: [Tensor] = []
        var reads = 0

        func append(_ tensor: Tensor) -> Int {
            kept.append(tensor.copied())
            return kept.count - 1
        }

        func read(_ index: Int, into tensor: Tensor) {
            reads += 1
            tensor.copy(from: kept[index])
        }
    }

    static let trained: [TrainableParameters] = [
        .adapters(AdapterSettings(rank: 2, alpha: 4, topLayers: 1)), .head,
    ]

    static func weights(_ trainable: TrainableParameters, precision: Precision, trunk: TrunkCache?) throws -> [[Float]]
    {
        let configuration = LanguageModelRewardsTests.configuration
        let base = LanguageModel(configuration, head: .none, precision: precision, seed: 3)
        let mixture = try fitRewardMixture(
            LanguageModelRewardsTests.users(ids: 0..<4, likingToken: 2),
            settings: LanguageModelRewardsTests.settings(),
            over: SoloCommunicator(),
            makeModels: {
                LanguageModelRewards(
                    copying: base,
                    count: $0 * $1,
                    trainable: trainable,
                    microBatchTokens: 200,
                    trunk: trunk,
                    seed: 4
                )
            },
            report: { _ in }
        )
        return (mixture.models.models + mixture.single.models).map { $0.trainableValues.array() }
    }

    @Test(arguments: trained, [Precision.float32, .bfloat16])
    func theSameBitsWhateverIsKept(trainable: TrainableParameters, precision: Precision) throws {
        let none = try Self.weights(trainable, precision: precision, trunk: nil)
        let spill = Spill()
        let all = try Self.weights(trainable, precision: precision, trunk: TrunkCache(bytes: 1 << 30, spill: spill))
        #expect(spill.kept.isEmpty)
        // Room for a few: most are spilled.
        let few = try Self.weights(trainable, precision: precision, trunk: TrunkCache(bytes: 4000, spill: spill))
        #expect(all == none && few == none)
        #expect(spill.kept.count > 10 && spill.reads > spill.kept.count)
    }

    @Test func eachSequenceIsComputedOnce() throws {
        let spill = Spill()
        _ = try Self.weights(Self.trained[0], precision: .float32, trunk: TrunkCache(bytes: 0, spill: spill))
        let users = LanguageModelRewardsTests.users(ids: 0..<4, likingToken: 2)
        #expect(spill.kept.count == Set(users.flatMap { $0.user.comparisons.flatMap(\.sequences) }).count)
    }

    /// Comparisons of all groups in one pass have the gradients that they have apart.
    @Test(arguments: [nil, 1])
    func groupsShareAPass(topLayers: Int?) throws {
        let settings = AdapterSettings(rank: 2, alpha: 4, topLayers: topLayers)
        let batches = (0..<3).map { group in
            TrainingBatch(
                model: group,
                comparisons: (0..<2 + group).map { LanguageModelRewardsTests.comparison($0, group, likesToken: true) }
            )
        }
        func gradients(_ together: [[TrainingBatch]]) throws -> [[Float]] {
            let models = LanguageModelRewards(
                copying: LanguageModelRewardsTests.base(),
                count: 3,
                trainable: .adapters(settings),
                microBatchTokens: 60,
                seed: 4
            )
            // New adapters are alike and change nothing: make them differ.
            for (group, model) in models.models.enumerated() {
                for index in 0..<model.trainableValues.count {
                    model.trainableValues[index] += 0.01 * Float((index * (group + 3)) % 11)
                }
                model.parametersDidChange()
            }
            for batches in together {
                _ = try models.addGradients(of: batches)
            }
            return models.models.map { $0.trainableGradients.array() }
        }
        let together = try gradients([batches])
        let apart = try gradients(batches.map { [$0] })
        for (together, apart) in zip(together, apart) {
            let norm = apart.map { $0 * $0 }.reduce(0, +).squareRoot()
            let difference = zip(together, apart).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
            #expect(norm > 0)
            #expect(difference < 1e-5 * norm)
        }
    }
}
