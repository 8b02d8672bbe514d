import Failures
import Testing

@testable import RewardMixture

@Suite struct SettingsTests {
    @Test func wrongSettingsNameTheirKey() {
        let users = RankTests.users()
        let wrong: [(String, (inout RewardMixtureSettings) -> Void)] = [
            ("reward.groups", { $0.groups = 0 }), ("reward.groups", { $0.groups = 11 }),
            ("reward.restarts", { $0.restarts = 0 }), ("reward.temperature", { $0.temperature = 0.5 }),
            ("reward.learning_rate", { $0.learningRate = -1 }), ("reward.patience", { $0.patience = 0 }),
        ]
        for (key, change) in wrong {
            var settings = linearSettings(groups: 2, seed: 0)
            change(&settings)
            #expect { try fitLinear(users, settings, width: RankTests.width) } throws: { error in
                (error as? Failure)?.code == .configuration && (error as? Failure)?.place == key
            }
        }
    }

    @Test func knownAssignmentNeedsLabels() {
        let users = RankTests.users().map {
            UserComparisons(
                id: $0.id,
                group: nil,
                shard: $0.shard,
                fit: $0.fit,
                validation: $0.validation,
                assign: $0.assign,
                test: $0.test
            )
        }
        var settings = linearSettings(groups: 2, seed: 0)
        settings.assignment = .known
        #expect { try fitLinear(users, settings, width: RankTests.width) } throws: { error in
            (error as? Failure)?.code == .badData && "\(error)".contains("no group label")
        }
    }

    @Test func nothingToFitIsRefused() {
        #expect { try fitLinear([], linearSettings(groups: 2, seed: 0), width: 2) } throws: { error in
            (error as? Failure)?.code == .badData
        }
    }
}
