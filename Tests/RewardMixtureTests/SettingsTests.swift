import Failures
import Preferences
import Testing

@testable import RewardMixture

@Suite struct SettingsTests {
    @Test func moreGroupsThanUsersAreRefused() {
        #expect {
            try fitLinear(RankTests.users(), linearSettings(groups: 11, seed: 0), width: RankTests.width)
        } throws: {
            ($0 as? Failure)?.code == .configuration && ($0 as? Failure)?.location == "reward.groups"
        }
    }

    /// An iteration at a higher temperature is no result, so there must be one at 1.
    @Test func tooFewIterationsForTheAnnealingAreRefused() {
        var settings = linearSettings(groups: 2, seed: 0)
        settings.assignment = .soft
        settings.maxIterations = 2
        #expect { try fitLinear(RankTests.users(), settings, width: RankTests.width) } throws: {
            ($0 as? Failure)?.location == "reward.max_iterations" && "\($0)".contains("iteration 3")
        }
    }

    @Test(arguments: [("known", nil), (nil, MixtureStart.labels)] as [(String?, MixtureStart?)])
    func labelsMustBeThere(assignment: String?, start: MixtureStart?) {
        let users = RankTests.users().map {
            ShardedUser(
                User(id: $0.user.id, comparisons: $0.user.comparisons),
                shard: $0.shard,
                split: $0.split
            )
        }
        var settings = linearSettings(groups: 2, seed: 0)
        settings.assignment = assignment.flatMap(AssignmentRule.init) ?? .hard
        settings.start = start ?? .residual
        #expect { try fitLinear(users, settings, width: RankTests.width) } throws: { error in
            (error as? Failure)?.code == .badData && "\(error)".contains("no group label")
                && "\(error)".contains(start == nil ? "reward.assignment" : "reward.start")
        }
    }

    @Test func moreLabelsThanGroupsAreRefused() {
        var settings = linearSettings(groups: 1, seed: 0)
        settings.start = .labels
        #expect { try fitLinear(RankTests.users(), settings, width: RankTests.width) } throws: {
            ($0 as? Failure)?.location == "reward.groups" && "\($0)".contains("2 labels")
        }
    }

    @Test func nothingToFitIsRefused() {
        #expect { try fitLinear([], linearSettings(groups: 2, seed: 0), width: 2) } throws: { error in
            (error as? Failure)?.code == .badData
        }
    }
}
