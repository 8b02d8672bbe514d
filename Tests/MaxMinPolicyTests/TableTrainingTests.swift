import Collectives
import Failures
import Foundation
import LanguageModels
import Optimizers
import Testing

@testable import MaxMinPolicy

/// Six responses of one token to two prompts (tokens 6 and 7).
///
/// The groups disagree about 0 and 1; 2 is a compromise, and
/// group 1 is easier to please.
private let rewards: [[Float]] = [
    [1.0, -1.0, 0.3, 0.0, -0.5, 0.2],
    [-0.6, 2.0, 0.7, 0.1, 0.4, -0.9],
]
private let referenceLogits: [Float] = [0.3, 0.1, -0.4, 0.5, 0.0, -0.2]

private func closedForm(beta: Double) -> ClosedForm {
    let weights = referenceLogits.map { exp(Double($0)) }
    return ClosedForm(
        reference: weights.map { $0 / weights.reduce(0, +) },
        rewards: rewards.map { $0.map(Double.init) },
        beta: beta
    )
}

/// Prompts' rows hold the reference logits, with tokens 6 and 7 impossible.
private func table(heads: Int) -> TablePolicy {
    let row = referenceLogits + [-40, -40]
    return TablePolicy(vocabulary: 8, heads: heads, logits: (0..<8).flatMap { _ in row })
}

private func task(shards: Shards) -> PolicyTask {
    PolicyTask(
        prompts: (0..<8).map { [Int32(6 + $0 % 2)] },
        endOfText: nil,
        groupSizes: [20, 2],
        calibration: .none(rewardModels: 3),
        rewards: { sequences in
            let rows = rewards.map { row in sequences.map { row[Int($0[$0.count - 1])] } }
            return rows + [zip(rows[0], rows[1]).map { (20 * $0 + 2 * $1) / 22 }]
        },
        seed: 11,
        shards: shards
    )
}

private func settings(_ objective: PolicySettings.Objective, _ algorithm: PolicySettings.Algorithm) -> PolicySettings {
    var settings = PolicySettings()
    settings.objective = objective
    settings.algorithm = algorithm
    settings.beta = 0.5
    settings.steps = 250
    settings.promptsPerStep = 16
    settings.samplesPerPrompt = 8
    settings.maxNewTokens = 1
    settings.optimizer.learningRate = 0.05
    settings.optimizer.schedule = .linear
    settings.halfLife = 8
    if algorithm == .ppo {
        settings.epochs = 2
        settings.minibatches = 2
        settings.optimizer.learningRate = 0.03
        settings.whiten = false
        settings.valueClip = 10
    }
    return settings
}

/// The policy after each of the last `averaged` steps, averaged: what a game between weights and policy is known to
/// bring to its saddle point (Freund and Schapire, 1999); the last policy goes round it.
private func trained(
    _ settings: PolicySettings,
    averaged: Int = 1,
    ranks: Int = 1
) throws -> (policy: [Double], state: PolicyState) {
    let shards = try Shards(count: 4, ranks: ranks)
    let all = try InProcessGroup.run(ranks: ranks) { communicator in
        let policy = table(heads: settings.head(groups: 2).valueCount)
        var mean = [Double](repeating: 0, count: 6)
        let state = try trainPolicy(
            policy,
            reference: table(heads: 0),
            task: task(shards: shards),
            settings: settings,
            communicator: communicator
        ) { record, _ in
            guard record.step > settings.steps - averaged else { return }
            for prompt in [6, 7] {
                let probabilities = policy.probabilities(after: prompt)
                for response in 0..<6 { mean[response] += Double(probabilities[response]) / Double(2 * averaged) }
            }
        }
        return (mean, state)
    }
    return all[0]
}

/// The closed form itself: no weights do better for the worst-off than the saddle's, and both groups meet there.
@Test func saddlePointIsOptimal() {
    let exact = closedForm(beta: 0.5)
    let w = exact.saddle()
    #expect(w > 0.05 && w < 0.95)
    let utilities = exact.utilities(exact.policy(w))
    #expect(abs(utilities[0] - utilities[1]) < 1e-5)
    #expect(abs(utilities[0] - exact.value(w)) < 1e-5)
    for other in stride(from: 0.0, through: 1.0, by: 0.05) {
        #expect((exact.utilities(exact.policy(other)).min() ?? 0) <= utilities[0] + 1e-9)
    }
}

/// Our own weights and our own update reach the worst-case optimum, from which equal weights are far.
///
/// `maxmin` and `mirror` rest where both groups are alike. An average of cold softmins needs the worst group to be seen
/// as worst in a share w of the steps, so it rests a little aside.
@Test(arguments: [
    (PolicySettings.Objective.maxmin, PolicySettings.Algorithm.rloo, PolicySettings.ValueHeads.single, 0.02),
    (.maxmin, .ppo, .single, 0.02), (.maxmin, .ppo, .perGroup, 0.02), (.softmin, .rloo, .single, 0.04),
    (.mirror, .rloo, .single, 0.02),
])
func trainingReachesTheSaddle(
    objective: PolicySettings.Objective,
    algorithm: PolicySettings.Algorithm,
    heads: PolicySettings.ValueHeads,
    tolerance: Double
) throws {
    var settings = settings(objective, algorithm)
    settings.valueHeads = heads
    settings.beta = 1
    settings.optimizer.learningRate = 0.1
    settings.optimizer.schedule = .constant
    if objective == .softmin { (settings.halfLife, settings.weightsTemperature) = (48, 0.02) }
    let exact = closedForm(beta: 1)
    let best = exact.value(exact.saddle())
    #expect((exact.utilities(exact.policy(0.5)).min() ?? 0) < best - 0.07)
    let (policy, state) = try trained(settings, averaged: 120)
    let utilities = exact.utilities(policy)
    #expect((utilities.min() ?? -1) > best - tolerance, "\(utilities) against \(best), \(state.weighting.weights)")
}

/// With fixed weights the optimum is the tilted reference, response by response.
@Test(arguments: [
    (PolicySettings.Objective.utilitarian, 0.5), (.proportional, 20.0 / 22), (.single, 20.0 / 22),
    (.only(group: 0), 1), (.only(group: 1), 0),
])
func fixedWeightsReachTheTiltedReference(objective: PolicySettings.Objective, weight: Double) throws {
    let settings = settings(objective, .rloo)
    let exact = closedForm(beta: Double(settings.beta)).policy(weight)
    let (policy, _) = try trained(settings)
    let distance = zip(policy, exact).reduce(0.0) { $0 + abs($1.0 - $1.1) } / 2
    #expect(distance < 0.06, "total variation \(distance)")
}

/// E[min r] is another goal than min E[r]: its optimum tilts by each response's own least reward.
@Test func perResponseReachesItsOwnOptimum() throws {
    let settings = settings(.perResponse, .rloo)
    let least = zip(rewards[0], rewards[1]).map { Double(min($0, $1)) }
    var exact = closedForm(beta: Double(settings.beta))
    exact = ClosedForm(reference: exact.reference, rewards: [least, least], beta: exact.beta)
    let (policy, _) = try trained(settings)
    let distance = zip(policy, exact.policy(0.5)).reduce(0.0) { $0 + abs($1.0 - $1.1) } / 2
    #expect(distance < 0.06, "total variation \(distance)")
}

/// A policy that is still the reference has no divergence from it, at any temperature.
@Test(arguments: [Float(0.5), 0.7, 1, 2])
func theReferenceDoesNotDivergeFromItself(temperature: Float) throws {
    var settings = settings(.utilitarian, .rloo)
    settings.temperature = temperature
    settings.steps = 1
    var record = PolicyStepRecord()
    _ = try trainPolicy(
        table(heads: 0),
        reference: table(heads: 0),
        task: task(shards: Shards(count: 1, ranks: 1)),
        settings: settings,
        communicator: SoloCommunicator()
    ) { step, _ in record = step }
    #expect(record.kl == 0 && record.entropy > 0)
}

/// At a temperature the reference that is tilted is the one that is sampled from at it.
@Test func trainingAtATemperatureReachesTheTiltedReferenceOfThatTemperature() throws {
    var settings = settings(.utilitarian, .rloo)
    settings.temperature = 0.5
    let weights = referenceLogits.map { exp(Double($0) / 0.5) }
    let exact = ClosedForm(
        reference: weights.map { $0 / weights.reduce(0, +) },
        rewards: rewards.map { $0.map(Double.init) },
        beta: Double(settings.beta)
    )
    let policy = table(heads: 0)
    _ = try trainPolicy(
        policy,
        reference: table(heads: 0),
        task: task(shards: Shards(count: 1, ranks: 1)),
        settings: settings,
        communicator: SoloCommunicator()
    ) { _, _ in }
    for prompt in [6, 7] {
        let found = policy.probabilities(after: prompt, temperature: 0.5)
        let distance = zip(found, exact.policy(0.5)).reduce(0.0) { $0 + abs(Double($1.0) - $1.1) } / 2
        #expect(distance < 0.06, "total variation \(distance)")
    }
}

@Test(arguments: [
    (PolicySettings.Algorithm.rloo, PolicySettings.ValueHeads.single), (.ppo, .single), (.ppo, .perGroup),
    (.grpo, .single),
])
func ranksDoNotChangeTheRun(algorithm: PolicySettings.Algorithm, heads: PolicySettings.ValueHeads) throws {
    var settings = settings(.maxmin, algorithm)
    settings.valueHeads = heads
    settings.steps = 12
    settings.whiten = true
    let solo = try trained(settings)
    for ranks in 2...4 {
        let other = try trained(settings, ranks: ranks)
        #expect(solo.policy == other.policy, "\(ranks) ranks")
        #expect(solo.state == other.state)
    }
}
