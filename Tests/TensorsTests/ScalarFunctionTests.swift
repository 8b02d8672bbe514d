import Foundation
import Tensors
import Testing

@Suite struct ScalarFunctionTests {
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
}
