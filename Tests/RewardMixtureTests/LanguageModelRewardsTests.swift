import Collectives
import LanguageModels
import Optimizers
import Preferences
import Randomness
import Tensors
import Testing

@testable import RewardMixture

/// The mixture on tiny GPT-2 models: one group likes token 3, the other dislikes long responses.
@Suite struct LanguageModelRewardsTests {
    static let configuration = ModelConfiguration(vocabularySize: 12, positions: 16, width: 32, layers: 2, heads: 2)

    static func comparison(_ item: Int, _ user: Int, likesToken: Bool) -> TokenizedComparison {
        var random = CounterRandom(seed: 1, purpose: .test, step: item, item: user)
        func tokens(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32.random(in: 0..<12, using: &random) } }
        // Both begin with one prompt, of a third of all comparisons empty.
        let prompt = tokens(item % 3)
        func response() -> [Int32] {
            prompt + tokens(Int.random(in: 4 - prompt.count...12 - prompt.count, using: &random))
        }
        func utility(_ tokens: [Int32]) -> Int { likesToken ? tokens.count { $0 == 3 } : -tokens.count }
        // Nobody could learn how ties fall.
        var pair = [response(), response()]
        while utility(pair[0]) == utility(pair[1]) { pair[1] = response() }
        let firstWins = utility(pair[0]) > utility(pair[1])
        return TokenizedComparison([pair[firstWins ? 0 : 1], pair[firstWins ? 1 : 0]])
    }

    @Test(arguments: [
        ([1, 2, 3], [1, 2, 4, 5], 2), ([1, 2], [1, 2, 3], 2), ([1, 2, 3], [1, 2], 1), ([1], [2], 0), ([1], [1], 0),
    ])
    func whatAComparisonsSequencesShare(chosen: [Int32], rejected: [Int32], shared: Int) {
        let comparison = TokenizedComparison([chosen, rejected])
        #expect(comparison.run.sharedTokens == shared)
        #expect(packed([comparison.run]).tokens.count == comparison.run.distinctTokens)
        #expect(Array(packed([comparison.run])) == [chosen, rejected])
    }

    /// What several people compared is computed once, and each comparison has its own rewards.
    @Test func equalSequencesAreComputedOnce() throws {
        let (a, b, c): ([Int32], [Int32], [Int32]) = ([1, 2, 3], [1, 2, 4, 5], [1, 6])
        let comparisons = [[a, b], [b, a], [c, a], [a, b, c]].map { TokenizedComparison($0) }
        let (runs, places) = distinctSequences(of: comparisons)
        #expect(runs.map(\.sequences) == [[a, b], [c]] && runs.map(\.sharedTokens) == [2, 1])
        #expect(places == [0, 1, 1, 0, 2, 0, 0, 1, 2])
        for trainable in [TrainableParameters.full] + TrunkCacheTests.trained {
            let models = LanguageModelRewards(
                copying: Self.base(),
                count: 2,
                trainable: trainable,
                microBatchTokens: 6,
                seed: 4
            )
            let rewards = try models.rewards(of: comparisons, under: 0..<2)
            let alone = try [a, b, c].map { sequence in
                try models.rewards(of: [TokenizedComparison([sequence, [7]])], under: 1..<2)[0][0]
            }
            #expect(rewards[0].count == places.count)
            for (place, reward) in zip(places, rewards[1]) { #expect(abs(reward - alone[place]) < 1e-6) }
        }
    }

    static func users(ids: Range<Int>, likingToken: Int, folds: Int = 1) -> [ShardedUser] {
        ids.map { user in
            let all = (0..<70).map { comparison($0, user, likesToken: user < likingToken) }
            return ShardedUser(
                User(id: "u\(100 + user)", group: user < likingToken ? "token" : "short", comparisons: all),
                shard: user % 2,
                split: folds == 1
                    ? ComparisonSplit(
                        fit: Array(0..<36),
                        validation: Array(36..<42),
                        assign: Array(42..<58),
                        test: Array(58..<70)
                    )
                    : ComparisonSplit(
                        folds: (0..<folds).map { Array(stride(from: $0, to: 58, by: folds)) },
                        test: Array(58..<70)
                    )
            )
        }
    }

    static func base() -> LanguageModel {
        LanguageModel(configuration, head: .none, precision: .float32, seed: 3)
    }

    static func settings(folds: Int = 1) -> RewardMixtureSettings {
        var settings = RewardMixtureSettings()
        settings.folds = folds
        settings.optimizer.learningRate = 3e-3
        settings.optimizer.warmupSteps = 5
        settings.maxSteps = 60
        settings.batchComparisons = 16
        settings.microBatchTokens = 200
        return settings
    }

    static func fit(
        _ users: [ShardedUser],
        trainable: TrainableParameters = .full,
        by reduction: GradientReduction = .reproducible,
        folds: Int = 1,
        isShared: Bool = false,
        over communicator: any Communicator
    ) throws -> FittedMixture<LanguageModelRewards> {
        let base = base()
        return try fitRewardMixture(
            users,
            settings: settings(folds: folds),
            over: communicator,
            makeModels: {
                LanguageModelRewards(
                    copying: base,
                    count: isShared ? $0 : $0 * $1,
                    heads: isShared ? $1 : 1,
                    trainable: trainable,
                    microBatchTokens: 200,
                    by: reduction,
                    seed: 4
                )
            },
            report: { _ in }
        )
    }

    @Test(arguments: [1, 2])
    func findsTheGroups(folds: Int) throws {
        let users = Self.users(ids: 0..<8, likingToken: 5, folds: folds)
        let mixture = try Self.fit(users, folds: folds, over: SoloCommunicator())
        #expect(Set(zip(mixture.scores.members, mixture.assignments).map { "\($0.group ?? "")/\($1)" }).count == 2)
        for accuracy in mixture.iterations.last?.accuracy ?? [] { #expect(try #require(accuracy) > 0.7) }
    }

    @Test(
        arguments: [GradientReduction.reproducible, .allReduce],
        [(TrainableParameters.full, 1), (.adapters(AdapterSettings(rank: 2, alpha: 4)), 2)]
    )
    func ranksGiveTheSameModels(reduction: GradientReduction, trained: (TrainableParameters, Int)) throws {
        let (trainable, folds) = trained
        let outcomes = try InProcessGroup.run(ranks: 2) { communicator in
            let users = Self.users(ids: 0..<4, likingToken: 2, folds: folds).filter { $0.shard == communicator.rank }
            let mixture = try Self.fit(users, trainable: trainable, by: reduction, folds: folds, over: communicator)
            return mixture.models.models.map { $0.parameters.values.array() }
        }
        #expect(outcomes[0] == outcomes[1])
    }

    @Test func headTrainingLeavesTheTrunkAlone() throws {
        let models = LanguageModelRewards(
            copying: Self.base(),
            count: 2,
            trainable: .head,
            microBatchTokens: 64,
            seed: 4
        )
        let trunk = models.models[0].parameters.values.count - 32
        let before = models.models.map { $0.parameters.values.array() }
        models.beginTraining(Self.settings(), over: SoloCommunicator())
        let comparisons = (0..<9).map { Self.comparison($0, 0, likesToken: true) }
        try models.sumGradients(over: ShardTree(hostedCounts: [1]), SoloCommunicator()) { _ in
            _ = try models.addGradients(of: [TrainingBatch(model: 1, comparisons: comparisons)])
        }
        #expect(try models.update(0, gradientScale: 1, learningRate: 0.1, over: SoloCommunicator()) == 0)
        #expect(try models.update(1, gradientScale: 1 / 9, learningRate: 0.1, over: SoloCommunicator()) > 0)
        #expect(models.models[0].parameters.values.array() == before[0])
        let after = models.models[1].parameters.values.array()
        #expect(after[..<trunk] == before[1][..<trunk] && after[trunk...] != before[1][trunk...])
    }

    @Test func rewardsAreScaledThroughTheHead() throws {
        let models = LanguageModelRewards(
            copying: Self.base(),
            count: 2,
            trainable: .full,
            microBatchTokens: 50,
            seed: 4
        )
        let comparisons = (0..<7).map { Self.comparison($0, 0, likesToken: true) }
        let before = try models.rewards(of: comparisons, under: 0..<1)[0]
        models.scaleRewards(of: 1, by: 0.5)
        #expect(try models.rewards(of: comparisons, under: 0..<2) == [before, before.map { $0 / 2 }])
    }

    @Test func gradientIsThatOfTheLoss() throws {
        let models = LanguageModelRewards(
            copying: Self.base(),
            count: 2,
            trainable: .full,
            microBatchTokens: 50,
            seed: 4
        )
        let comparisons = (0..<7).map { Self.comparison($0, 0, likesToken: true) }
        let summed = try models.addGradients(of: [TrainingBatch(model: 1, comparisons: comparisons)])
        let parameters = models.models[1].parameters
        let gradient = parameters.gradients.array()
        for index in [5, parameters.values.count / 2, parameters.values.count - 7] {
            let value = parameters.values[index]
            func loss(_ shift: Float) throws -> Double {
                parameters.values[index] = value + shift
                return plackettLuce(try models.rewards(of: comparisons, under: 1..<2)[0], of: comparisons).loss
            }
            #expect(abs(try loss(0) - summed[0]) < 1e-5)
            let numeric = (try loss(1e-2) - loss(-1e-2)) / 2e-2
            parameters.values[index] = value
            #expect(abs(numeric - Double(gradient[index])) < 2e-3 + 0.02 * abs(numeric))
        }
        // The mean gradient of log σ on the head is the last part of it.
        // Of two users who chose alike, both have it, and one who chose nothing has none.
        let heads = try models.headGradients(of: [comparisons, [], comparisons], under: 1)
        for (index, value) in heads[0].enumerated() {
            #expect(abs(value + gradient[gradient.count - 32 + index] / 7) < 1e-4)
        }
        #expect(heads[2] == heads[0] && heads[1].allSatisfy { $0 == 0 } && heads[0].contains { $0 != 0 })
    }
}
