import Foundation
import Preferences
import Randomness
import Testing

@testable import RewardMixture

/// Rankings of four responses against pairs of the same people.
@Suite struct RankingTests {
    static let width = 6

    /// Twelve users of two tastes, each with rankings of four random responses by the Plackett–Luce model, an order of
    /// rewards with Gumbel noise.
    ///
    /// `pairs`: of each ranking two random responses alone.
    func users(comparisons: Int, pairs: Bool, seed: UInt64) -> [ShardedUser] {
        let tastes = (0..<2).map { rewardVector(width: Self.width, scale: 2, seed: 100 * seed + $0) }
        return (0..<12).map { number in
            var random = CounterRandom(seed: seed, purpose: .test, item: 1 + number)
            let drawn = (0..<comparisons).map { _ in
                let responses = (0..<4).map { _ in (0..<Self.width).map { _ in random.normal() } }
                let noisy = responses.map { x in
                    zip(x, tastes[number % 2]).reduce(0) { $0 + $1.0 * $1.1 } - log(-log(max(random.uniform(), 1e-12)))
                }
                // The first two are as random as any.
                let among = pairs ? [0, 1] : [0, 1, 2, 3]
                let order = among.sorted { noisy[$0] > noisy[$1] }
                return TokenizedComparison(
                    order.map { responses[$0].map { Int32(bitPattern: Float($0).bitPattern) } },
                    ranked: order.count - 1
                )
            }
            let folds = (0..<2).map { Array(stride(from: $0, to: comparisons, by: 2)) }
            return ShardedUser(
                User(id: "u\(100 + number)", group: "group-\(number % 2)", comparisons: drawn),
                shard: number % 4,
                split: ComparisonSplit(folds: folds)
            )
        }
    }

    /// Ten choices of a user cannot tell groups that ten rankings tell (arXiv 2510.15716): a ranking of four says as
    /// much as three choices, of which the later ones are between responses that are alike.
    @Test func rankingsFindGroupsThatPairsCannotTell() throws {
        var right = (rankings: 0, pairs: 0)
        for seed in 0..<6 as Range<UInt64> {
            let settings = linearSettings(groups: 2, folds: 2, seed: seed)
            let ranked = try fitLinear(users(comparisons: 10, pairs: false, seed: seed), settings, width: Self.width)
            let paired = try fitLinear(users(comparisons: 10, pairs: true, seed: seed), settings, width: Self.width)
            right.rankings += rightUsers(ranked)
            right.pairs += rightUsers(paired)
        }
        // Of 72 users; by chance about 45 in the better naming of the groups.
        #expect(right.rankings >= 68 && right.pairs <= 62, "\(right)")
    }
}
