import Collectives
import LanguageModels
import Optimizers
import Preferences
import Tensors
import Testing

@testable import RewardMixture

/// Reward models that are heads on one backbone (SharedRep-RLHF, arXiv 2509.03672).
@Suite struct SharedBackboneTests {
    typealias Apart = LanguageModelRewardsTests

    static let trained = [TrainableParameters.full, .adapters(AdapterSettings(rank: 2, alpha: 4, topLayers: 1))]

    static func models(shared: Bool, _ trainable: TrainableParameters) -> LanguageModelRewards {
        LanguageModelRewards(
            copying: Apart.base(),
            count: shared ? 1 : 2,
            heads: shared ? 2 : 1,
            trainable: trainable,
            microBatchTokens: 50,
            seed: 4
        )
    }

    /// The loss of all comparisons has as its gradient the sum of the groups' for the backbone, and each group's own
    /// for its head.
    @Test(arguments: trained) func gradientIsTheSumOfTheGroups(trainable: TrainableParameters) throws {
        let (shared, apart) = (Self.models(shared: true, trainable), Self.models(shared: false, trainable))
        #expect(shared.count == 2 && shared.vectors == 1 && apart.vectors == 2)
        let batches = [
            TrainingBatch(model: 0, comparisons: (0..<9).map { Apart.comparison($0, 0, likesToken: true) }),
            TrainingBatch(model: 1, comparisons: (0..<4).map { Apart.comparison($0, 1, likesToken: false) }),
        ]
        let losses = zip(try shared.addGradients(of: batches), try apart.addGradients(of: batches))
        for (loss, expected) in losses { #expect(abs(loss - expected) < 1e-4) }
        let width = shared.headWidth
        let found = shared.models[0].trainableGradients.array()
        let expected = apart.models.map { $0.trainableGradients.array() }
        let below = expected[0].count - width
        #expect(found.count == below + 2 * width)
        func isNear(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Bool {
            zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 }
        }
        #expect(isNear(found[..<below], zip(expected[0][..<below], expected[1][..<below]).map { $0 + $1 }))
        #expect(isNear(found[below..<below + width], expected[0][below...]))
        #expect(isNear(found[(below + width)...], expected[1][below...]))
        #expect(expected.allSatisfy { $0[..<below].contains { abs($0) > 1e-3 } })
    }

    @Test func oneHeadIsChangedByItself() throws {
        let models = Self.models(shared: true, .full)
        let comparisons = (0..<7).map { Apart.comparison($0, 0, likesToken: true) }
        let before = try models.rewards(of: comparisons, under: 0..<1)[0]
        models.scaleRewards(of: 1, by: 0.5)
        #expect(try models.rewards(of: comparisons, under: 0..<2) == [before, before.map { $0 / 2 }])
        #expect(try models.rewards(of: comparisons, under: 1..<2) == [before.map { $0 / 2 }])
        // By itself, with its backbone.
        let alone = models.model(1)
        let runs = distinctSequences(of: comparisons)
        // In a smaller batch, whose products may round otherwise.
        #expect(abs(alone.rewards(of: packed(Array(runs.runs[..<1])))[0] - before[runs.places[0]] / 2) < 1e-6)
        models.resetWeights(of: 1)
        #expect(try models.rewards(of: comparisons, under: 0..<2) == [before, before])
        let other = Self.models(shared: false, .full)
        other.scaleRewards(of: 1, by: 4)
        models.copyWeights(to: 0, from: other, model: 1)
        #expect(try models.rewards(of: comparisons, under: 0..<2) == [before.map { 4 * $0 }, before])
    }

    @Test(arguments: trained, [1, 2]) func findsTheGroups(trainable: TrainableParameters, folds: Int) throws {
        let outcomes = try InProcessGroup.run(ranks: 2) { communicator in
            let users = Apart.users(ids: 0..<8, likingToken: 6, folds: folds).filter { $0.shard == communicator.rank }
            let mixture = try Apart.fit(users, trainable: trainable, folds: folds, isShared: true, over: communicator)
            let groups = Set(zip(mixture.scores.members, mixture.assignments).map { "\($0.group ?? "")/\($1)" })
            #expect(groups.count == 2)
            // One budget.
            #expect(mixture.iterations.allSatisfy { $0.training[0].steps == $0.training[1].steps })
            let alone = (0..<2).map { mixture.models.model($0).trainableValues.array() }
            let below = alone[0].count - mixture.models.headWidth
            #expect(alone[0][..<below] == alone[1][..<below] && alone[0][below...] != alone[1][below...])
            return alone
        }
        let users = Apart.users(ids: 0..<8, likingToken: 6, folds: folds)
        let solo = try Apart.fit(users, trainable: trainable, folds: folds, isShared: true, over: SoloCommunicator())
        #expect(outcomes[0] == outcomes[1])
        #expect(outcomes[0] == (0..<2).map { solo.models.model($0).trainableValues.array() })
    }

    /// The loss of several groups together is that of all their comparisons.
    @Test func lossesArePooledByComparisons() {
        let sums = ValidationLoss.factors.indices.map { 6 + Double($0) }
        let one = ValidationLoss(sums: sums, weight: 10)
        let other = ValidationLoss(sums: sums.map { 3 * $0 }, weight: 20)
        #expect(pooledLoss([one]) == 0.6)
        #expect(abs(pooledLoss([one, other]) - 24.0 / 30) < 1e-12)
    }
}
