import Collectives

/// Fills in the advantages (and returns) of a step's rollouts from the combined reward of each response.
///
/// - Parameters:
///   - combined: for every batch, the weighted calibrated reward of each response.
///   - weights: of the groups, by which values of several heads, one a group, become one.
func estimateAdvantages(
    _ batches: inout [ShardBatch],
    combined: [[Float]],
    weights: [Double],
    beta: Float,
    settings: PolicySettings,
    communicator: any Communicator
) throws {
    for index in batches.indices {
        let rollouts = batches[index].rollouts
        func bonus(_ response: Int, _ reward: Float) -> Float {
            rollouts[response].finished ? reward : reward - settings.missingEOSPenalty
        }
        func rewards(_ response: Int, _ reward: Float) -> [Float] {
            tokenRewards(
                logProbabilities: rollouts[response].logProbabilities,
                reference: rollouts[response].reference,
                beta: beta,
                bonus: bonus(response, reward)
            )
        }
        // The same for all tokens of a response, from those of its prompt.
        func perPrompt(_ returns: [Float], _ advantages: ([Float]) -> [Float]) -> [[Float]] {
            let samples = settings.samplesPerPrompt
            let ofResponses = stride(from: 0, to: returns.count, by: samples).flatMap {
                advantages(Array(returns[$0..<($0 + samples)]))
            }
            return zip(ofResponses, rollouts).map { Array(repeating: $0, count: $1.responseLength) }
        }
        switch settings.algorithm {
        case .ppo:
            let estimates = rollouts.indices.map { response in
                let values = rollouts[response].values
                let hasOneHead = values.count == rollouts[response].responseLength
                return weightedAdvantages(
                    rewards: hasOneHead
                        ? [rewards(response, combined[index][response])]
                        : weights.indices.map { rewards(response, batches[index].rewards[$0][response]) },
                    values: values,
                    weights: hasOneHead ? [1] : weights.map { Float($0) },
                    gamma: settings.gamma,
                    lambda: settings.lambda
                )
            }
            batches[index].advantages = estimates.map(\.advantages)
            batches[index].returns = estimates.map(\.returns)
        case .rloo:
            let returns = rollouts.indices.map { rewards($0, combined[index][$0]).reduce(0, +) }
            batches[index].advantages = perPrompt(returns, leaveOneOutAdvantages)
        case .grpo:
            // The divergence is in the loss.
            let returns = rollouts.indices.map { bonus($0, combined[index][$0]) }
            batches[index].advantages = perPrompt(returns, normalizedAdvantages)
        }
    }
    if settings.algorithm == .ppo && settings.whiten {
        let flat = try whitened(batches.map { $0.advantages.flatMap { $0 } }, communicator: communicator)
        for index in batches.indices {
            var start = 0
            for response in batches[index].advantages.indices {
                let length = batches[index].advantages[response].count
                batches[index].advantages[response] = Array(flat[index][start..<(start + length)])
                start += length
            }
        }
    }
}

/// Advantages and the returns that the value head learns, per token of one response.
package struct Advantages: Equatable, Sendable {
    /// How much better each token was than expected.
    package var advantages: [Float]
    /// Targets of the value heads: advantage + old value, those of a token together.
    package var returns: [Float]
}

/// Generalized advantage estimation over one response.
///
/// Schulman et al., arXiv 1506.02438, eq. 16:
/// δ_t = r_t + γ·V_{t+1} − V_t and A_t = δ_t + γλ·A_{t+1}; nothing follows the last token (V = 0), finished or not.
package func generalizedAdvantages(rewards: [Float], values: [Float], gamma: Float, lambda: Float) -> Advantages {
    precondition(rewards.count == values.count, "a value for every reward")
    var advantages = [Float](repeating: 0, count: rewards.count)
    var nextAdvantage: Float = 0
    var nextValue: Float = 0
    for t in rewards.indices.reversed() {
        let delta = rewards[t] + gamma * nextValue - values[t]
        nextAdvantage = delta + gamma * lambda * nextAdvantage
        nextValue = values[t]
        advantages[t] = nextAdvantage
    }
    return Advantages(advantages: advantages, returns: zip(advantages, values).map { $0 + $1 })
}

/// Generalized advantage estimation over one response with H value heads, each of a reward of its own: Σ_h w_h A_h.
///
/// Where the weights sum to 1, that is the estimate for the reward Σ_h w_h r_h and the value Σ_h w_h V_h. What a head
/// learns does not depend on the weights.
///
/// - Parameters:
///   - rewards: of each token, H × tokens.
///   - values: tokens·H, those of a token together.
package func weightedAdvantages(
    rewards: [[Float]],
    values: [Float],
    weights: [Float],
    gamma: Float,
    lambda: Float
) -> Advantages {
    let heads = rewards.count
    precondition(heads == weights.count && values.count == rewards.reduce(0) { $0 + $1.count }, "a value for each")
    let ofHeads = rewards.indices.map { head in
        let own = stride(from: head, to: values.count, by: heads).map { values[$0] }
        return generalizedAdvantages(rewards: rewards[head], values: own, gamma: gamma, lambda: lambda)
    }
    guard heads > 1 else { return ofHeads[0] }
    return Advantages(
        advantages: rewards[0].indices.map { t in
            zip(weights, ofHeads).reduce(0) { $0 + $1.0 * $1.1.advantages[t] }
        },
        returns: rewards[0].indices.flatMap { t in ofHeads.map { $0.returns[t] } }
    )
}

/// Leave-one-out advantages of the responses to one prompt: each one's return less the mean return of the others.
///
/// Ahmadian et al., arXiv 2402.14740, eq. 9.
package func leaveOneOutAdvantages(_ returns: [Float]) -> [Float] {
    precondition(returns.count >= 2, "leave-one-out needs two responses to a prompt")
    let total = returns.reduce(0, +)
    return returns.map { $0 - (total - $0) / Float(returns.count - 1) }
}

/// Advantages of the responses to one prompt by GRPO: (r − mean)/(s + 1e-4), s² their unbiased variance.
///
/// Shao et al., arXiv 2402.03300, §4.1.2; they name neither which variance nor what keeps it from 0, TRL has these.
package func normalizedAdvantages(_ rewards: [Float]) -> [Float] {
    precondition(rewards.count >= 2, "a variance needs two responses to a prompt")
    let mean = rewards.reduce(0, +) / Float(rewards.count)
    let variance = rewards.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(rewards.count - 1)
    return rewards.map { ($0 - mean) / (variance.squareRoot() + 1e-4) }
}

/// Mean and unbiased variance of numbers spread over shards.
struct Moments: Equatable {
    var count: Double
    var mean: Double
    var variance: Double
}

/// Moments of all shards' numbers together, of which `parts` are this rank's, in two passes: no difference of large
/// sums.
func globalMoments(_ parts: [[Float]], communicator: any Communicator) throws -> Moments {
    let sums = try communicator.sumOverShards(
        parts.map { part in [Double(part.count), part.reduce(0.0) { $0 + Double($1) }] },
        width: 2
    )
    let mean = sums[0] > 0 ? sums[1] / sums[0] : 0
    let squares = try communicator.sumOverShards(
        parts.map { part in [part.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }] },
        width: 1
    )
    return Moments(count: sums[0], mean: mean, variance: sums[0] > 1 ? squares[0] / (sums[0] - 1) : 0)
}

/// Gives the numbers of all shards together mean 0 and variance 1: (x − mean)/√(variance + 1e-8).
func whitened(_ parts: [[Float]], communicator: any Communicator) throws -> [[Float]] {
    let moments = try globalMoments(parts, communicator: communicator)
    let scale = 1 / (moments.variance + 1e-8).squareRoot()
    return parts.map { part in part.map { Float((Double($0) - moments.mean) * scale) } }
}

/// The reward of each token of a response: −β·(log π − log π_ref), and `bonus` on top at the last token.
///
/// The last token is the end-of-text token where the response has one: ending is an action like any other.
package func tokenRewards(
    logProbabilities: [Float],
    reference: [Float],
    beta: Float,
    bonus: Float
) -> [Float] {
    precondition(logProbabilities.count == reference.count, "a reference log-probability for every token")
    var rewards = zip(logProbabilities, reference).map { -beta * k1($0, reference: $1) }
    if !rewards.isEmpty { rewards[rewards.count - 1] += bonus }
    return rewards
}
