import Foundation
import Optimizers
import Preferences
import Tensors
import Testing

@testable import RewardMixture

@Suite struct ValidationLossTests {
    static func of(_ margins: [Float]) -> ValidationLoss {
        let scored = margins.map { (linearComparison([0]), [$0, 0][...]) }
        return ValidationLoss(sums: ValidationLoss.sums(scored), weight: Double(margins.count))
    }

    /// Three of four right, each equally sure: the likeliest margin is log 3, where σ = 3/4.
    @Test(arguments: [2.0, 4, 8, 16])
    func dampsOverconfidence(times: Double) {
        let margin = Float(times * log(3))
        let found = Self.of([margin, margin, margin, -margin])
        #expect(abs(found.rewardScale - 1 / times) < 1e-12)
        #expect(abs(found.loss - (-0.75 * log(0.75) - 0.25 * log(0.25))) < 1e-6)
    }

    @Test func neverMakesAModelSurer() {
        let margins: [Float] = [0.1, 0.2, 0.05]
        let found = Self.of(margins)
        #expect(found.rewardScale == 1)
        #expect(abs(found.loss + margins.reduce(0) { $0 + logSigmoid(Double($1)) } / 3) < 1e-7)
    }

    @Test func aWrongModelIsDampedAsFarAsItGoes() {
        #expect(Self.of([-1, -2]).rewardScale == ValidationLoss.factors.last)
    }

    @Test func notANumberIsSeen() {
        #expect(!Self.of([1, .nan]).loss.isFinite)
        #expect(!Self.of([1, -.infinity]).loss.isFinite)
    }

    /// Models that fit few noisy comparisons closely come out no surer than their validation comparisons bear.
    @Test func anMStepEndsWithDampedModels() throws {
        let group = SimulatedGroup(users: 4, reward: rewardVector(width: 20, scale: 1, seed: 2))
        let users = simulatedUsers([group], comparisons: 60, seed: 2)
        var settings = linearSettings(groups: 1, seed: 2)
        settings.optimizer.learningRate = 1
        settings.evaluateEvery = 60
        let mixture = try fitLinear(users, settings, width: 20)
        let rewards = mixture.single.rewards(
            of: users.flatMap { $0.comparisons($0.split.emParts[0].validation) },
            under: 0..<1
        )[0]
        let margins = stride(from: 0, to: rewards.count, by: 2).map { rewards[$0] - rewards[$0 + 1] }
        #expect(mixture.singleTraining.bestStep == 60)
        #expect(Self.of(margins).rewardScale == 1)
        // It lies at the edge: twice as sure would be too sure.
        #expect(Self.of(margins.map { 2 * $0 }).rewardScale <= 0.5)
    }
}
