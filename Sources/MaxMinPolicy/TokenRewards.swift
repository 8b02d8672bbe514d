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
