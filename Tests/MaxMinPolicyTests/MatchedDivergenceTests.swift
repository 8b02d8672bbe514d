import Collectives
import Foundation
import LanguageModels
import Optimizers
import Tensors
import Testing

@testable import MaxMinPolicy

/// Four responses of one token to the prompt 4, which the reference finds equally likely.
private let rewards: [Float] = [1, 0.4, -0.2, -1]

private func table() -> TablePolicy {
    TablePolicy(vocabulary: 5, logits: (0..<5).flatMap { _ in [0, 0, 0, 0, -40] as [Float] })
}

private func task(shards: Shards) -> PolicyTask {
    PolicyTask(
        prompts: Array(repeating: [4], count: 8),
        endOfText: nil,
        groupSizes: [1],
        calibration: .none(rewardModels: 1),
        rewards: { sequences in [sequences.map { rewards[Int($0[$0.count - 1])] }] },
        seed: 5,
        shards: shards
    )
}

/// Long steps, each of which moves the divergence by much.
private func settings(maxKL: Double?) -> PolicySettings {
    var settings = PolicySettings()
    settings.beta = 0
    settings.maxKL = maxKL
    settings.steps = 40
    settings.promptsPerStep = 16
    settings.samplesPerPrompt = 8
    settings.maxNewTokens = 1
    settings.optimizer.learningRate = 0.2
    return settings
}

private func exactKL(_ policy: TablePolicy) -> Double {
    policy.probabilities(after: 4).prefix(4).reduce(0) { $0 + Double($1) * log(Double($1) * 4) }
}

private struct Training: Equatable {
    var records: [PolicyStepRecord] = []
    var state: PolicyState
    var klAtEnd = 0.0
    var matched: MatchedDivergence?
    var exactKL = 0.0
}

/// Trains and brings the policy to its `maxKL`; `parting` ends a first process after so many steps.
private func trained(_ settings: PolicySettings, ranks: Int = 1, parting: Int? = nil) throws -> Training {
    struct Parted: Error {}
    let shards = try Shards(count: 4, ranks: ranks)
    return try InProcessGroup.run(ranks: ranks) { communicator in
        let task = task(shards: shards)
        let policy = table()
        let reference = table()
        var result = Training(state: PolicyState(settings, groupSizes: [1]))
        func train(from state: PolicyState?) throws {
            result.state = try trainPolicy(
                policy,
                reference: reference,
                task: task,
                settings: settings,
                from: state,
                communicator: communicator
            ) { record, state in
                var record = record
                // Times differ.
                record.phases = []
                result.records.append(record)
                result.state = state
                if state.step == parting { throw Parted() }
            }
        }
        do {
            try train(from: nil)
        } catch is Parted {
            let record = result.state.record(updates: 0)
            #expect(record.isValid(steps: settings.steps, groups: 1, models: 1))
            let copy = try JSONDecoder().decode(PolicyState.Record.self, from: JSONEncoder().encode(record))
            try train(from: PolicyState(copy, settings: settings, groupSizes: [1]))
        }
        result.klAtEnd = exactKL(policy)
        if let target = settings.maxKL, result.state.hasReached(target) {
            result.matched = try matchDivergence(
                of: policy,
                to: target,
                reference: reference,
                task: task,
                settings: settings,
                communicator: communicator
            ) { factor in
                for index in policy.parameters.indices {
                    let start = reference.parameters[index]
                    policy.parameters[index] = start + factor * (policy.parameters[index] - start)
                }
            }
        }
        result.exactKL = exactKL(policy)
        return result
    }[0]
}

/// The first step whose divergence reaches it ends training without an update; the policy is then brought to it.
@Test(arguments: [0.2, 0.5]) func trainingEndsAtItsDivergence(maxKL: Double) throws {
    let training = try trained(settings(maxKL: maxKL))
    let (last, before) = (training.records[training.records.count - 1], training.records.dropLast())
    #expect(training.records.count > 2 && training.records.count < 40)
    #expect(last.reachedMaxKL && last.klSmoothed >= maxKL && last.updates == 0 && !last.skipped)
    #expect(before.allSatisfy { !$0.reachedMaxKL && $0.klSmoothed < maxKL && $0.updates == 1 })
    #expect(last.weights == [1] && last.rewards.count == 1)
    let matched = try #require(training.matched)
    #expect(abs(matched.kl / maxKL - 1) <= 0.02)
    // All responses have one token and one prompt, so a measurement sums the divergence over all that there is.
    #expect(abs(training.exactKL / matched.kl - 1) < 1e-4, "\(training.klAtEnd), then \(training.exactKL)")
    #expect(abs(training.exactKL - maxKL) < abs(training.klAtEnd - maxKL) && matched.distance != 1)
}

@Test func aTrainingThatStaysNearerTakesAllItsSteps() throws {
    var settings = settings(maxKL: 1.3)
    settings.steps = 4
    let training = try trained(settings)
    #expect(training.records.map(\.updates) == [1, 1, 1, 1])
    #expect(training.state.isDone(settings) && !training.state.hasReached(1.3) && training.matched == nil)
    #expect(!training.state.hasReached(nil))
}

@Test func ranksDoNotChangeWhereATrainingEnds() throws {
    let solo = try trained(settings(maxKL: 0.5))
    for ranks in 2...4 { #expect(try trained(settings(maxKL: 0.5), ranks: ranks) == solo, "\(ranks) ranks") }
}

/// Also where it is taken up at its end, when nothing is left to train.
@Test func aTrainingTakenUpEndsAtTheSameStep() throws {
    let whole = try trained(settings(maxKL: 0.5))
    for step in [1, whole.state.step - 1, whole.state.step] {
        #expect(try trained(settings(maxKL: 0.5), parting: step) == whole, "after step \(step)")
    }
}

/// A whole model's trunk goes along the line from the reference; adapters' B is multiplied, A stays.
@Test(arguments: [false, true]) func weightsMoveAlongTheLineFromTheReference(hasAdapters: Bool) throws {
    let shape = ModelConfiguration(vocabularySize: 20, positions: 16, width: 8, layers: 1, heads: 2)
    let reference = LanguageModel(shape, head: .none, precision: .float32, seed: 3)
    let trainable = hasAdapters ? TrainableParameters.adapters(AdapterSettings(rank: 2, alpha: 4)) : .full
    let policy = reference.copy(head: .value, trainable: trainable, seed: 4)
    let start = policy.parameters.values.array()
    policy.parameters.values.withMutableSpan { values in
        for index in values.indices { values[index] += Float(index % 7) }
    }
    let trained = policy.parameters.values.array()
    policy.rescale(from: reference.copy(head: .none, trainable: trainable, seed: 9), by: 0.75)
    let moved = policy.parameters.values.array()
    for entry in policy.parameters.entries {
        for index in entry.range {
            let expected: Float =
                if policy.parameters.headRange.contains(index) {
                    trained[index]
                } else if !hasAdapters {
                    start[index] + 0.75 * (trained[index] - start[index])
                } else {
                    entry.name.hasSuffix("lora_B.weight") ? 0.75 * trained[index] : trained[index]
                }
            #expect(abs(moved[index] - expected) < 1e-5, "\(entry.name)")
        }
    }
}
