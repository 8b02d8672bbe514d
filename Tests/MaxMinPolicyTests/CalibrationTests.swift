import Collectives
import Failures
import Foundation
import Randomness
import Tensors
import TestSupport
import Testing

@testable import MaxMinPolicy

private func samples(_ item: Int, count: Int = 48) -> [Float] {
    var random = CounterRandom(seed: 3, purpose: .test, item: item)
    return (0..<count).map { _ in Float(random.normal()) }
}

private func fit(_ method: Calibration.Method, _ rewards: [[Float]]) throws -> Calibration {
    try fitCalibration(
        method,
        rewards: [rewards],
        rewardModels: rewards.count,
        prompts: 12,
        samplesPerPrompt: 4,
        samplesHash: "x",
        communicator: SoloCommunicator()
    )
}

/// Bradley–Terry rewards have no origin and no unit: what is trained on must not change with them.
@Test func standardizedRewardsForgetOriginAndUnit() throws {
    let rewards = samples(0)
    let moved = rewards.map { 5 * $0 - 100 }
    let one = try fit(.standardize, [rewards]).calibrated(rewards, model: 0, medians: [])
    let other = try fit(.standardize, [moved]).calibrated(moved, model: 0, medians: [])
    #expect(maximalDifference(one, other) < 1e-4)
    let sum = one.reduce(0, +)
    #expect(abs(sum) < 1e-4)
    let within = stride(from: 0, to: one.count, by: 4).map { Array(one[$0..<$0 + 4]) }.map { prompt in
        let mean = prompt.reduce(0, +) / 4
        return prompt.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
    }
    #expect(abs(within.reduce(0, +) / Float(within.count) - 1) < 1e-4)
}

/// Comparisons are of one prompt: what a reward model says of prompts is noise, and no policy can move it.
@Test func whatLiesBetweenPromptsChangesNoUnit() throws {
    let rewards = samples(5)
    let other = rewards.enumerated().map { $1 + 100 * Float($0 / 4 % 3) }
    let calibration = try fit(.standardize, [rewards, other])
    #expect(abs(calibration.deviations[1] / calibration.deviations[0] - 1) < 1e-4)
    #expect(abs(calibration.correlations[0][1] - 1) < 1e-6)
}

@Test func centeredRewardsForgetTheOrigin() throws {
    let rewards = samples(1)
    let calibration = try fit(.center, [rewards, rewards.map { $0 + 7 }])
    let other = calibration.calibrated(rewards.map { $0 + 7 }, model: 1, medians: [])
    #expect(maximalDifference(calibration.calibrated(rewards, model: 0, medians: []), other) < 1e-5)
    #expect(calibration.referenceUtilities.allSatisfy { abs($0) < 1e-6 })
}

@Test func logSigmoidIsAboutThePromptsMedian() throws {
    let calibration = try fit(.logSigmoid, [samples(2)])
    let result = calibration.calibrated([1, 3, -1000], model: 0, medians: [1, 1, 0])
    #expect(maximalDifference(result, [log(0.5), -log(1 + exp(-2)), -1000]) < 1e-5)
    #expect(medians(of: [1, 2, 9, 4, 7, 7], samplesPerPrompt: 3) == [2, 2, 2, 7, 7, 7])
    #expect(median([4, 1, 2, 3]) == 2.5)
}

@Test func noneLeavesRewardsAlone() throws {
    let rewards = samples(3)
    let calibration = try fit(.none, [rewards])
    #expect(calibration.calibrated(rewards, model: 0, medians: []) == rewards)
    #expect(abs(calibration.referenceUtilities[0] - calibration.means[0]) < 1e-9)
}

@Test func uselessRewardModelsAreRefused() throws {
    #expect(throws: Failure.self) { try fit(.standardize, [Array(repeating: 3, count: 48)]) }
    #expect(throws: Failure.self) { try fit(.standardize, [(0..<48).map { Float($0 / 4) }]) }
    #expect(throws: Failure.self) { try fit(.center, [samples(4).dropLast() + [.nan]]) }
}

/// Sampling the reference on 1 to 4 ranks gives the same numbers and the same hash.
@Test func calibrationDoesNotDependOnRanks() throws {
    func calibration(ranks: Int, seed: UInt64) throws -> Calibration {
        let shards = try Shards(count: 4, ranks: ranks)
        let all = try InProcessGroup.run(ranks: ranks) { communicator in
            try calibrate(
                .standardize,
                reference: TablePolicy(vocabulary: 5),
                prompts: (0..<9).map { [Int32($0 % 5)] },
                promptCount: 7,
                samplesPerPrompt: 3,
                maxNewTokens: 6,
                endOfText: 4,
                rewardModels: 2,
                rewards: { sequences in
                    [sequences.map { Float($0.count) }, sequences.map { $0.reduce(0) { $0 + Float($1) } }]
                },
                seed: seed,
                shards: shards,
                communicator: communicator
            )
        }
        #expect(all.allSatisfy { $0 == all[0] })
        return all[0]
    }
    let solo = try calibration(ranks: 1, seed: 1)
    #expect(solo.prompts == 7)
    for ranks in 2...4 {
        let other = try calibration(ranks: ranks, seed: 1)
        #expect(other == solo)
    }
    #expect(try calibration(ranks: 1, seed: 2).samplesHash != solo.samplesHash)
}

/// One prompt of a hundred is sampled, again and again with another seed: not always the first ones.
@Test func promptsAreDrawnAtRandom() throws {
    var seen: Set<Int32> = []
    for seed in 0..<20 {
        _ = try calibrate(
            .center,
            reference: TablePolicy(vocabulary: 100),
            prompts: (0..<100).map { [$0] },
            promptCount: 1,
            samplesPerPrompt: 2,
            maxNewTokens: 1,
            endOfText: nil,
            rewardModels: 1,
            rewards: { sequences in
                seen.formUnion(sequences.compactMap(\.first))
                return [sequences.map { Float($0.count) }]
            },
            seed: UInt64(seed),
            shards: Shards(count: 1, ranks: 1),
            communicator: SoloCommunicator()
        )
    }
    #expect(seen.count > 10)
}
