import Collectives
import Failures
import Preferences
import Testing

@testable import RewardMixture

@Suite struct RankTests {
    static let width = 6

    static func users(folds: Int = 1) -> [ShardedUser] {
        let groups = [
            SimulatedGroup(users: 7, reward: rewardVector(width: width, scale: 2, seed: 1)),
            SimulatedGroup(users: 3, reward: rewardVector(width: width, scale: 2, seed: 2)),
        ]
        return simulatedUsers(groups, comparisons: 90, shards: 4, folds: folds, seed: 1)
    }

    struct Outcome: Equatable, Sendable {
        let assignments: [Int]
        let logLikelihoods: [[Double]]
        let iterations: [MixtureIteration]
    }

    static func fit(_ users: [ShardedUser], ranks: Int, soft: Bool, folds: Int = 1) throws -> [Outcome] {
        try InProcessGroup.run(ranks: ranks) { communicator in
            let hosted = try Shards(count: 4, ranks: ranks).hosted(by: communicator.rank)
            var settings = linearSettings(groups: 2, folds: folds, seed: 2)
            settings.assignment = soft ? .soft : .hard
            let mixture = try fitLinear(
                users.filter { hosted.contains($0.shard) },
                settings,
                width: width,
                over: communicator
            )
            return Outcome(
                assignments: mixture.assignments,
                logLikelihoods: mixture.scores.logLikelihoods,
                iterations: mixture.iterations
            )
        }
    }

    @Test(arguments: [false, true], [1, 2])
    func ranksDoNotMatter(soft: Bool, folds: Int) throws {
        let users = Self.users(folds: folds)
        let alone = try #require(Self.fit(users, ranks: 1, soft: soft, folds: folds).first)
        for ranks in 2...4 {
            let together = try Self.fit(users, ranks: ranks, soft: soft, folds: folds)
            for outcome in together {
                #expect(outcome == alone)
            }
        }
    }

    @Test func aNotFiniteLossOnOneRankFailsAll() {
        let users = Self.users().map { user in
            guard user.shard == 3 else { return user }
            var broken = user.user
            for index in user.split.emParts[0].fit {
                broken.comparisons[index] = linearComparison([.nan, 0, 0, 0, 0, 0])
            }
            return ShardedUser(broken, shard: user.shard, split: user.split)
        }
        #expect { try Self.fit(users, ranks: 3, soft: false) } throws: { error in
            (error as? Failure)?.code == .internalError && "\(error)".contains("the fit \"single\", step 1")
        }
    }

    @Test func aUserOnTwoRanksIsRefused() {
        let users = Self.users()
        #expect { try Self.fit(users + [users[0]], ranks: 2, soft: false) } throws: { error in
            (error as? Failure)?.code == .badData && "\(error)".contains("occurs twice")
        }
    }
}
