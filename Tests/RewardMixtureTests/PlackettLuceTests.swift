import Foundation
import Preferences
import RewardMixture
import Tensors
import Testing

@Suite struct PlackettLuceTests {
    /// A case that `Tests/Fixtures/RewardMixture/make_orders.py` wrote.
    struct Golden: Decodable {
        let rewards: [Float]
        let ranked: Int
        let log_probability: Double
        let gradient: [Double]
    }

    static let golden: [Golden] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/RewardMixture/orders.json")
        return (try? JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))) ?? []
    }()

    /// A comparison of so many responses; what they say plays no part.
    func comparison(_ responses: Int, ranked: Int) -> TokenizedComparison {
        TokenizedComparison((0..<responses).map { [Int32($0)] }, ranked: ranked)
    }

    @Test func agreesWithChoix() {
        #expect(Self.golden.count == 14)
        for golden in Self.golden {
            let found = logProbability(ofOrder: golden.rewards[...], ranked: golden.ranked)
            #expect(abs(found - golden.log_probability) < 1e-5 * max(1, abs(found)))
            let order = comparison(golden.rewards.count, ranked: golden.ranked)
            let (loss, dRewards) = plackettLuce(golden.rewards, of: [order])
            #expect(loss == -found)
            for (derivative, expected) in zip(dRewards, golden.gradient) {
                #expect(abs(Double(derivative) + expected) < 1e-5)
            }
        }
    }

    @Test(arguments: [(2, 1), (4, 3), (5, 2)])
    func gradientIsThatOfTheLoss(responses: Int, ranked: Int) {
        let orders = [comparison(responses, ranked: ranked), comparison(3, ranked: 1)]
        let rewards = (0..<responses + 3).map { Float(($0 * 7) % 5) / 2 - 1 }
        let gradient = plackettLuce(rewards, of: orders).dRewards
        for index in rewards.indices {
            var (up, down) = (rewards, rewards)
            up[index] += 1e-2
            down[index] -= 1e-2
            let numeric = (plackettLuce(up, of: orders).loss - plackettLuce(down, of: orders).loss) / 2e-2
            #expect(abs(numeric - Double(gradient[index])) < 1e-4)
        }
    }

    @Test(arguments: [-90, -3, -0.0, 0, 0.5, 3, 90] as [Float])
    func aPairIsBradleyTerry(margin: Float) {
        let log = logProbability(ofOrder: [margin, 0], ranked: 1)
        #expect(log == logSigmoid(Double(margin)))
        #expect(logProbability(ofOrder: [margin, 0], ranked: 1, scale: 0.25) == logSigmoid(0.25 * Double(margin)))
        let dMargin = Float(-sigmoid(-Double(margin)))
        #expect(plackettLuce([margin, 0], of: [comparison(2, ranked: 1)]).dRewards == [dMargin, -dMargin])
    }

    /// Whatever is ranked first, one of the orders happens.
    @Test func probabilitiesOfAllOrdersAddToOne() {
        let rewards: [Float] = [0.3, -1, 2, 0.5]
        func orders(_ rest: [Int]) -> [[Int]] {
            rest.isEmpty ? [[]] : rest.flatMap { first in orders(rest.filter { $0 != first }).map { [first] + $0 } }
        }
        let total = orders([0, 1, 2, 3]).reduce(0) { sum, order in
            sum + exp(logProbability(ofOrder: order.map { rewards[$0] }[...], ranked: 3))
        }
        #expect(abs(total - 1) < 1e-6)
    }

    @Test func notANumberIsSeen() {
        for rewards in [[1, .nan], [.nan, 1], [.infinity, 0], [0, -.infinity], [0, .infinity]] as [[Float]] {
            let log = logProbability(ofOrder: rewards[...], ranked: 1)
            #expect(!log.isFinite || log == 0)
        }
        #expect(logProbability(ofOrder: [Float.nan, 1], ranked: 1).isNaN)
    }

    @Test func concordanceCountsPairs() {
        #expect(concordance([1, 0], ranked: 1) == 1)
        #expect(concordance([0, 0], ranked: 1) == 0.5)
        // 3 > 1, 3 > 2, and 1 < 2.
        #expect(concordance([3, 1, 2], ranked: 2) == 2.0 / 3)
        // The last two are in no order.
        #expect(concordance([3, 1, 2], ranked: 1) == 1)
    }
}
