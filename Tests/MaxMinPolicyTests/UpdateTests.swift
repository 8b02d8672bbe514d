import Collectives
import Failures
import Foundation
import LanguageModels
import Optimizers
import Randomness
import Tensors
import TestSupport
import Testing

@testable import MaxMinPolicy

private let endOfText: Int32 = 4

private func noisyTable(seed: Int, heads: Int) -> TablePolicy {
    let table = TablePolicy(vocabulary: 5, heads: heads)
    var random = CounterRandom(seed: 5, purpose: .test, item: seed)
    for index in table.parameters.indices { table.parameters[index] = Float(0.5 * random.normal()) }
    return table
}

private func multiTokenTask(_ rewards: @escaping RewardFunction) throws -> PolicyTask {
    PolicyTask(
        prompts: [[0, 1], [2], [3, 3, 3], [1]],
        endOfText: endOfText,
        groupSizes: [1, 1],
        calibration: .none(rewardModels: 2),
        rewards: rewards,
        seed: 2,
        shards: try Shards(count: 2, ranks: 1)
    )
}

private func lengthAndZeros(_ sequences: some Collection<[Int32]>) -> [[Float]] {
    [sequences.map { -Float($0.count) }, sequences.map { Float($0.filter { $0 == 0 }.count) }]
}

private func multiTokenSettings(_ algorithm: PolicySettings.Algorithm) -> PolicySettings {
    var settings = PolicySettings()
    settings.algorithm = algorithm
    settings.steps = 3
    settings.promptsPerStep = 6
    settings.samplesPerPrompt = 3
    settings.maxNewTokens = 7
    settings.temperature = 0.8
    settings.microBatchTokens = 20
    return settings
}

/// Rollouts of several tokens, scored and given advantages, as a step does it.
///
/// The reward is that of zeros; with a value head for each of two groups, half of it and half of that of length.
private func batches(_ table: TablePolicy, settings: PolicySettings) throws -> [ShardBatch] {
    let task = try multiTokenTask { lengthAndZeros($0) }
    var batches = (0..<2).map { shard in
        let dealt = samplePrompts(step: 1, perStep: 6, pool: 4, shard: shard, shards: task.shards, seed: 2)
        var rollouts = sampleRollouts(
            dealt,
            pool: task.prompts,
            from: table,
            options: SamplingOptions(maxNewTokens: 7, temperature: 0.8, stop: endOfText),
            samples: 3,
            seed: 2,
            step: 1
        )
        scoreRollouts(
            &rollouts,
            policy: table,
            reference: noisyTable(seed: 9, heads: 0),
            temperature: 0.8,
            microBatchTokens: 11
        )
        return ShardBatch(shard: shard, rollouts: rollouts)
    }
    let weights = table.heads > 1 ? [0.5, 0.5] : [0, 1]
    for index in batches.indices { batches[index].rewards = lengthAndZeros(batches[index].rollouts.map(\.tokens)) }
    let combined = batches.map { combinedRewards($0.rewards, weighting: weights, settings: settings) }
    try estimateAdvantages(
        &batches,
        combined: combined,
        weights: weights,
        beta: 0.1,
        settings: settings,
        communicator: SoloCommunicator()
    )
    return batches
}

/// The gradient that an update accumulates is that of the mean loss over all response tokens, for GRPO of the mean over
/// responses of the mean over their tokens.
///
/// Packing, rows, shards and micro-batches are included. The table has moved since it sampled, so that ratios differ
/// from 1 and some are clipped.
@Test(arguments: [(PolicySettings.Algorithm.ppo, 1), (.ppo, 2), (.rloo, 0), (.grpo, 0)])
func updateGradientMatchesFiniteDifferences(algorithm: PolicySettings.Algorithm, heads: Int) throws {
    let settings = multiTokenSettings(algorithm)
    let table = noisyTable(seed: 1, heads: heads)
    let batches = try batches(table, settings: settings)
    let moved = noisyTable(seed: 1, heads: heads)
    var random = CounterRandom(seed: 6, purpose: .test)
    for index in moved.parameters.indices { moved.parameters[index] += Float(0.15 * random.normal()) }

    func meanLoss() -> Double {
        var (total, tokens) = (0.0, 0.0)
        func lossOfResponse(_ batch: ShardBatch, _ index: Int, _ scores: TokenScores) -> Double {
            let rollout = batch.rollouts[index]
            guard algorithm == .grpo else {
                return clippedPolicyLoss(
                    logProbabilities: scores.logProbabilities,
                    old: rollout.logProbabilities,
                    advantages: batch.advantages[index],
                    clip: settings.clip
                ).loss
            }
            return groupRelativeLoss(
                logProbabilities: scores.logProbabilities,
                old: rollout.logProbabilities,
                reference: rollout.reference,
                advantages: batch.advantages[index],
                weights: rollout.logProbabilities.map { _ in 1 / Float(rollout.responseLength) },
                clip: settings.clip,
                beta: settings.beta
            ).loss
        }
        for batch in batches {
            for (index, rollout) in batch.rollouts.enumerated() {
                let rows = ((rollout.promptLength - 1)..<(rollout.tokens.count - 1)).map(Int32.init)
                let scores = moved.tokenScores(of: PackedSequences([rollout.tokens]), rows: rows, temperature: 0.8)
                total += lossOfResponse(batch, index, scores)
                if algorithm == .ppo {
                    total +=
                        Double(settings.valueCoefficient) / Double(heads)
                        * clippedValueLoss(
                            values: scores.values,
                            old: rollout.values,
                            returns: batch.returns[index],
                            clip: settings.valueClip
                        ).loss
                }
                tokens += algorithm == .grpo ? 1 : Double(rows.count)
            }
        }
        return total / tokens
    }

    let count = moved.parameters.count
    let numeric = (0..<count).map { index -> Float in
        let original = moved.parameters[index]
        let step: Float = 4e-3
        moved.parameters[index] = original + step
        let up = meanLoss()
        moved.parameters[index] = original - step
        let down = meanLoss()
        moved.parameters[index] = original
        return Float((up - down) / Double(2 * step))
    }
    var still = settings
    still.optimizer.learningRate = 0
    let update = try updatePolicy(
        moved,
        on: batches,
        settings: still,
        step: 1,
        seed: 2,
        shards: ShardTree(hostedCounts: [batches.count]),
        communicator: SoloCommunicator()
    )
    #expect(update.clipped > 0 && update.clipped < update.tokens)
    #expect(
        abs((update.policyLoss + Double(settings.valueCoefficient) * update.valueLoss) / update.tokens - meanLoss())
            < 1e-5
    )
    #expect(relativeError(moved.gradients, numeric) < 2e-2)
}

/// End-of-text is an action: it is scored, carries the bonus and enters the response's length.
@Test func endOfTextIsPartOfTheResponse() throws {
    let all = try batches(noisyTable(seed: 1, heads: 0), settings: multiTokenSettings(.rloo)).flatMap(
        \.rollouts
    )
    #expect(all.contains { $0.finished } && all.contains { !$0.finished })
    for rollout in all {
        #expect(rollout.finished == (rollout.tokens.last == endOfText))
        #expect(rollout.logProbabilities.count == rollout.responseLength)
        #expect(rollout.finished || rollout.responseLength == 7)
    }
}

/// Minibatches cut every epoch's rollouts once: two of them see what one sees.
@Test func minibatchesCoverTheRollouts() throws {
    var settings = multiTokenSettings(.rloo)
    settings.optimizer.learningRate = 0
    let table = noisyTable(seed: 1, heads: 0)
    let batches = try batches(table, settings: settings)
    let whole = try updatePolicy(
        table,
        on: batches,
        settings: settings,
        step: 1,
        seed: 2,
        shards: ShardTree(hostedCounts: [batches.count]),
        communicator: SoloCommunicator()
    )
    settings.minibatches = 3
    settings.epochs = 2
    let parts = try updatePolicy(
        table,
        on: batches,
        settings: settings,
        step: 1,
        seed: 2,
        shards: ShardTree(hostedCounts: [batches.count]),
        communicator: SoloCommunicator()
    )
    #expect(parts.updates == 6)
    #expect(parts.tokens == 2 * whole.tokens)
    #expect(abs(parts.policyLoss - 2 * whole.policyLoss) < 1e-3)
}

@Test func targetKLEndsTheUpdatesOfAStep() throws {
    var settings = multiTokenSettings(.rloo)
    settings.optimizer.learningRate = 0.5
    settings.epochs = 5
    settings.targetKL = 0.01
    var records: [PolicyStepRecord] = []
    _ = try trainPolicy(
        noisyTable(seed: 1, heads: 0),
        reference: noisyTable(seed: 1, heads: 0),
        task: try multiTokenTask { lengthAndZeros($0) },
        settings: settings,
        communicator: SoloCommunicator()
    ) { record, _ in records.append(record) }
    #expect(records.allSatisfy { $0.stoppedEarly && $0.updates >= 1 && $0.updates < 5 && $0.updateKL > 0.01 })
}

/// A bad reward on one rank is seen by all: the step changes nothing, is counted, and three in a row end the run, or
/// the last one.
@Test(arguments: [1, 2])
func nonFiniteStepsAreSkippedAndEndTheRun(ranks: Int) throws {
    for badSteps in [1...2, 1...3, 4...4] {
        let outcome = Result {
            try InProcessGroup.run(ranks: ranks) { communicator -> [Float] in
                let table = noisyTable(seed: 1, heads: 0)
                var task = try multiTokenTask { lengthAndZeros($0) }
                task.shards = try Shards(count: 2, ranks: ranks)
                var step = 1
                task.rewards = { sequences in
                    var rows = lengthAndZeros(sequences)
                    if badSteps.contains(step) && communicator.rank == ranks - 1 { rows[1][0] = .nan }
                    return rows
                }
                var settings = multiTokenSettings(.rloo)
                settings.steps = 4
                settings.optimizer.learningRate = 0.1
                var before = table.parameters
                let state = try trainPolicy(
                    table,
                    reference: noisyTable(seed: 1, heads: 0),
                    task: task,
                    settings: settings,
                    communicator: communicator
                ) { record, state in
                    #expect(record.skipped == badSteps.contains(step))
                    #expect(record.badSteps == (record.skipped ? step - badSteps.lowerBound + 1 : 0))
                    #expect(!record.skipped || table.parameters == before)
                    #expect(state.isGood == !record.skipped)
                    before = table.parameters
                    #expect(state.weighting.weights.allSatisfy { $0.isFinite })
                    step += 1
                }
                #expect(state.step == 4)
                return table.parameters
            }
        }
        if badSteps == 1...2 {
            #expect(try outcome.get().allSatisfy { $0.allSatisfy(\.isFinite) })
        } else {
            #expect { try outcome.get() } throws: { ($0 as? Failure)?.code == .internalError }
        }
    }
}

/// A record of a checkpoint is of a training, or it is not taken.
@Test func recordsOfOtherTrainingsAreNotValid() throws {
    let settings = multiTokenSettings(.rloo)
    let record = PolicyState(settings, groupSizes: [1, 1]).record(updates: 0)
    #expect(record.isValid(steps: settings.steps, groups: 2, models: 2))
    #expect(!record.isValid(steps: settings.steps, groups: 3, models: 3))
    var late = PolicyState(settings, groupSizes: [1, 1])
    late.worstGroup = 2
    #expect(!late.record(updates: 0).isValid(steps: settings.steps, groups: 2, models: 2))
    late.worstGroup = nil
    late.step = settings.steps + 1
    #expect(!late.record(updates: 0).isValid(steps: settings.steps, groups: 2, models: 2))
}

/// A gradient that is not finite is no update, and counts as well.
@Test func nonFiniteLossesAreNoUpdate() throws {
    let table = noisyTable(seed: 1, heads: 0)
    let settings = multiTokenSettings(.rloo)
    let batches = try batches(table, settings: settings)
    let before = table.parameters
    table.fault = .nan
    let update = try updatePolicy(
        table,
        on: batches,
        settings: settings,
        step: 1,
        seed: 2,
        shards: ShardTree(hostedCounts: [batches.count]),
        communicator: SoloCommunicator()
    )
    #expect(!update.isFinite && update.updates == 0)
    #expect(table.parameters == before)
}

/// Every figure of a record against what is plain from the first step, where policy and reference agree.
@Test func recordsTellTheStep() throws {
    var settings = multiTokenSettings(.ppo)
    settings.temperature = 1
    settings.epochs = 2
    settings.missingEOSPenalty = 1
    // Short enough that some of the 18 responses do not end.
    settings.maxNewTokens = 3
    var records: [PolicyStepRecord] = []
    _ = try trainPolicy(
        noisyTable(seed: 1, heads: 1),
        reference: noisyTable(seed: 1, heads: 0),
        task: try multiTokenTask { lengthAndZeros($0) },
        settings: settings,
        communicator: SoloCommunicator()
    ) { record, _ in records.append(record) }
    let first = records[0]
    #expect(records.map(\.step) == [1, 2, 3])
    #expect(first.kl == 0 && records[2].kl > 0)
    #expect(first.utilities == first.rewards && first.rewards == first.rawRewards)
    #expect(first.worstGroup == 0 && !first.worstGroupChanged)
    #expect(first.weights[0] > 0.5 && abs(first.weights.reduce(0, +) - 1) < 1e-6)
    #expect(first.finished > 0 && first.finished < 1 && first.responseTokens > 1 && first.responseTokens < 3)
    #expect(first.entropy > 0.5 && first.entropy < log(5))
    #expect(first.updates == 2 && first.gradientNorm > 0 && first.valueLoss > 0 && first.learningRate == 5e-5)
    #expect(first.phases.map(\.name) == ["sample", "score", "reward", "update"])
    #expect(first.phases.allSatisfy { $0.tokensPerSecond > 0 })
}

/// `log-sigmoid` needs the reference's median at every prompt met, whatever the rank and step.
@Test func logSigmoidDrawsItsMedians() throws {
    var task = try multiTokenTask { lengthAndZeros($0) }
    task.calibration.method = .logSigmoid
    task.calibration.samplesPerPrompt = 3
    var settings = multiTokenSettings(.rloo)
    settings.optimizer.learningRate = 0
    _ = try trainPolicy(
        noisyTable(seed: 1, heads: 0),
        reference: noisyTable(seed: 1, heads: 0),
        task: task,
        settings: settings,
        communicator: SoloCommunicator()
    ) { record, _ in
        // Below zero as every log σ is; about log ½ for samples of the reference itself.
        #expect(record.rewards.allSatisfy { $0 < -0.3 && $0 > -3 })
        #expect(record.rawRewards != record.rewards)
    }
}

@Test func whatCannotBeTrainedOnIsNamed() throws {
    func failure(_ change: (inout PolicySettings, inout PolicyTask) -> Void) throws -> Failure? {
        var settings = multiTokenSettings(.rloo)
        var task = try multiTokenTask { lengthAndZeros($0) }
        change(&settings, &task)
        do {
            _ = try trainPolicy(
                noisyTable(seed: 1, heads: 0),
                reference: noisyTable(seed: 1, heads: 0),
                task: task,
                settings: settings,
                communicator: SoloCommunicator()
            ) { _, _ in }
            return nil
        } catch {
            return error as? Failure
        }
    }
    #expect(try failure { settings, _ in settings.objective = .single }?.code == .configuration)
    #expect(try failure { _, task in task.prompts = [[1]] }?.code == .badData)
    #expect(try failure { _, task in task.prompts[2] = [] }?.location == "data.prompts")
    #expect(try failure { _, _ in } == nil)
}
