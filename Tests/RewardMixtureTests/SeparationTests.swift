import Foundation
import RewardMixture
import Testing

@Suite struct SeparationTests {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["MAXMIN_SURVEY"] != nil))
    func survey() throws {
        let width = 24
        for (scaleA, scaleB) in [(1.0, 3.0), (1.0, 1.0), (0.7, 1.5), (3.0, 3.0)] {
            for (a, b) in [(11, 11), (15, 7), (19, 3), (20, 2), (21, 1)] {
                for start in MixtureStart.allCases {
                    var right = 0
                    var users = 0
                    var iterations = 0
                    let seeds = 20
                    for seed in 0..<UInt64(seeds) {
                        let groups = [
                            SimulatedGroup(users: a, reward: rewardVector(width: width, scale: scaleA, seed: 2 * seed)),
                            SimulatedGroup(
                                users: b,
                                reward: rewardVector(width: width, scale: scaleB, seed: 2 * seed + 1)
                            ),
                        ]
                        var settings = linearSettings(groups: 2, seed: seed)
                        settings.start = start
                        let mixture = try fitLinear(
                            simulatedUsers(groups, comparisons: 200, seed: seed),
                            settings,
                            width: width
                        )
                        let n = rightUsers(mixture)
                        users += n
                        right += n == a + b ? 1 : 0
                        iterations += mixture.iterations.count
                    }
                    print(
                        "scales \(scaleA) \(scaleB) users \(a)+\(b) \(start.rawValue): all right \(right)/\(seeds), users \(users)/\(seeds * (a + b)), iterations \(Double(iterations) / Double(seeds))"
                    )
                }
            }
        }
    }
}
