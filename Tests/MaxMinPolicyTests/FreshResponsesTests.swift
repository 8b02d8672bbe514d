import Collectives
import Foundation
import Testing

@testable import MaxMinPolicy

/// Four responses of one token to the prompt 4, by two groups.
private let rewards: [[Float]] = [[1, 0.4, -0.2, -1], [-0.5, 0.8, 0.1, 0.3]]

private func table(_ row: [Float]) -> TablePolicy {
    TablePolicy(vocabulary: 5, logits: (0..<5).flatMap { _ in row + [-40] })
}

/// Measured by so many ranks.
private func measured(_ policy: [Float], _ settings: PolicySettings, ranks: Int = 1, logSigmoid: Bool = false) throws
    -> [Double]
{
    let shards = try Shards(count: 4, ranks: ranks)
    let all = try InProcessGroup.run(ranks: ranks) { communicator in
        var task = PolicyTask(
            prompts: Array(repeating: [4], count: 8),
            endOfText: nil,
            groupSizes: [1, 1],
            calibration: .none(rewardModels: 2),
            rewards: { sequences in rewards.map { row in sequences.map { row[Int($0[$0.count - 1])] } } },
            seed: 5,
            shards: shards
        )
        if logSigmoid {
            task.calibration.method = .logSigmoid
            task.calibration.samplesPerPrompt = 3
        }
        return try freshUtilities(
            of: table(policy),
            reference: table([0, 0, 0, 0]),
            task: task,
            settings: settings,
            state: PolicyState(settings, groupSizes: [1, 1]),
            communicator: communicator
        )
    }
    #expect(all.allSatisfy { $0 == all[0] })
    return all[0]
}

private var settings: PolicySettings {
    var settings = PolicySettings()
    settings.beta = 0.5
    settings.promptsPerStep = 16
    settings.samplesPerPrompt = 8
    settings.maxNewTokens = 1
    return settings
}

/// F_u = E r̃_u − β·KL by the definition, and the same on any number of ranks.
@Test func freshUtilitiesAreThoseOfThePolicy() throws {
    let logits: [Float] = [1, 0.5, 0, -1]
    let found = try measured(logits, settings)
    let weights = logits.map { exp(Double($0)) }
    let p = weights.map { $0 / weights.reduce(0, +) }
    let divergence = p.reduce(0) { $0 + $1 * log($1 * 4) }
    for group in 0..<2 {
        let mean = zip(p, rewards[group]).reduce(0) { $0 + $1.0 * Double($1.1) }
        let square = zip(p, rewards[group]).reduce(0) { $0 + $1.0 * Double($1.1) * Double($1.1) }
        // Of 1,024 responses; the divergence has no error.
        let error = ((square - mean * mean) / 1024).squareRoot()
        #expect(abs(found[group] - (mean - 0.5 * divergence)) < 4 * error, "group \(group)")
    }
    for ranks in 2...4 { #expect(try measured(logits, settings, ranks: ranks) == found, "\(ranks) ranks") }
}

/// Rewards are those of the calibration: log σ is below 0, about log ½ at the reference itself.
@Test func freshUtilitiesAreCalibrated() throws {
    let found = try measured([0, 0, 0, 0], settings, logSigmoid: true)
    #expect(found.allSatisfy { $0 < -0.3 && $0 > -1.5 })
}
