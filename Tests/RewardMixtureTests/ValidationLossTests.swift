import Foundation
import Testing

@testable import RewardMixture

@Suite struct ValidationLossTests {
    static func of(_ margins: [Float]) -> ValidationLoss {
        ValidationLoss(sums: ValidationLoss.sums(margins: margins), weight: Double(margins.count))
    }

    /// Three of four right, each equally sure: the likeliest margin is log 3, where σ = 3/4.
    @Test(arguments: [2.0, 4, 8, 16])
    func dampsOverconfidence(times: Double) {
        let margin = Float(times * log(3))
        let found = Self.of([margin, margin, margin, -margin])
        #expect(abs(found.damping - 1 / times) < 1e-12)
        #expect(abs(found.loss - (-0.75 * log(0.75) - 0.25 * log(0.25))) < 1e-6)
    }

    @Test func neverMakesAModelSurer() {
        let margins: [Float] = [0.1, 0.2, 0.05]
        let found = Self.of(margins)
        #expect(found.damping == 1)
        #expect(abs(found.loss - bradleyTerry(margins: margins).loss / 3) < 1e-7)
    }

    @Test func aWrongModelIsDampedAsFarAsItGoes() {
        #expect(Self.of([-1, -2]).damping == ValidationLoss.factors.last)
    }

    @Test func notANumberIsSeen() {
        #expect(!Self.of([1, .nan]).loss.isFinite)
        #expect(!Self.of([1, -.infinity]).loss.isFinite)
    }
}
