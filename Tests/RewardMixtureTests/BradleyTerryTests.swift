import Foundation
import RewardMixture
import Tensors
import Testing

@Suite struct BradleyTerryTests {
    @Test func logSigmoidIsStable() {
        #expect(abs(logSigmoid(0) + log(2)) < 1e-15)
        #expect(logSigmoid(-1e4) == -1e4)
        #expect(logSigmoid(1e4) == 0)
        #expect(abs(logSigmoid(2) - log(1 / (1 + exp(-2)))) < 1e-15)
        #expect(abs(logSigmoid(40) + exp(-40)) < 1e-30)
        #expect(logSigmoid(.nan).isNaN)
    }

    @Test func sigmoidIsTheDerivative() {
        for x in [-30.0, -2, -0.1, 0, 0.7, 5, 20] {
            let numeric = (logSigmoid(x + 1e-5) - logSigmoid(x - 1e-5)) / 2e-5
            #expect(abs(numeric - sigmoid(-x)) < 1e-9)
        }
    }

    @Test func lossAndGradient() {
        let margins: [Float] = [-3, 0, 0.5, 90]
        let (loss, gradient) = bradleyTerry(margins: margins)
        #expect(abs(loss - margins.reduce(0) { $0 - logSigmoid(Double($1)) }) < 1e-12)
        for index in margins.indices {
            var up = margins
            var down = margins
            up[index] += 1e-2
            down[index] -= 1e-2
            let numeric = (bradleyTerry(margins: up).loss - bradleyTerry(margins: down).loss) / 2e-2
            #expect(abs(numeric - Double(gradient[index])) < 1e-5)
        }
    }

    @Test func tiesCountHalf() {
        #expect(correctCount(margins: [1, -1, 0, 2]) == 2.5)
    }
}
