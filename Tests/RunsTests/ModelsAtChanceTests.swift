import Evaluation
import Failures
import Testing

@testable import RewardMixture
@testable import Runs

struct ModelsAtChanceTests {
    private func mixture(_ accuracies: [(Double, Double, Double)?]) -> MixtureRecord {
        MixtureRecord(
            groupSizes: accuracies.map { _ in 3 },
            labelOfGroup: accuracies.indices.map { $0 == 0 ? "warm" : nil },
            agreement: nil,
            rewards: [],
            ownAccuracy: accuracies.map { $0.map { Estimate(mean: $0.0, low: $0.1, high: $0.2) } },
            warnings: []
        )
    }

    private func refusal(_ accuracies: [(Double, Double, Double)?]) -> Failure? {
        do throws(Failure) {
            try refuseModelsAtChance(mixture(accuracies), in: RunDirectory(path: "runs/a"))
            return nil
        } catch { return error }
    }

    @Test func aModelAboveChanceIsTaken() {
        #expect(refusal([(0.7, 0.6, 0.8), (0.55, 0.501, 0.6)]) == nil)
        // Where there are no held-out comparisons, nothing is known.
        #expect(refusal([(0.7, 0.6, 0.8), nil]) == nil)
    }

    @Test(arguments: [(0.55, 0.5, 0.6), (0.52, 0.44, 0.6), (0.3, 0.2, 0.4)])
    func aModelAtOrBelowChanceIsRefused(accuracy: (Double, Double, Double)) throws {
        let failure = try #require(refusal([(0.7, 0.6, 0.8), accuracy]))
        #expect(failure.code == .badData && failure.location == "runs/a/reward/mixture.json")
        #expect(failure.message.hasPrefix("the reward model of group-1 decides"))
        for remedy in ["more comparisons", "fewer reward.groups", "calibrate.at_chance: take"] {
            #expect(failure.message.contains(remedy))
        }
    }

    /// One reward for groups that oppose each other may be at chance; none may be untrained.
    @Test func weakModelsAreNamed() {
        let atChance = Estimate(mean: 0.6, low: 0.49, high: 0.7)
        let trained = GroupTraining(steps: 20, bestStep: 10, bestLoss: 0.6)
        let untrained = GroupTraining(steps: 20, bestStep: 0, bestLoss: 0.7)
        #expect(weakness(of: "group-0", trained, atChance)?.contains("60.0 %, is not above chance") == true)
        #expect(weakness(of: "single", trained, atChance, mayBeAtChance: true) == nil)
        for mayBeAtChance in [false, true] {
            let found = weakness(of: "single", untrained, atChance, mayBeAtChance: mayBeAtChance)
            #expect(found?.contains("is untrained") == true)
        }
    }

    @Test func allOfThemAreNamed() throws {
        let message = try #require(refusal([(0.5, 0.4, 0.6), (0.52, 0.44, 0.61)])).message
        #expect(
            message.hasPrefix(
                "the reward model of group-0 (warm) decides 50.0 % of its users' held-out comparisons as they do "
                    + "(95 % interval 40.0 to 60.0), and the reward model of group-1 decides 52.0 %"
            )
        )
    }
}
