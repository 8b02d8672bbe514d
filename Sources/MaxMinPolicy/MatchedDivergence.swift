package import Collectives
import Failures
import Foundation
import LanguageModels

/// A policy's divergence from its reference, and how its weights were moved for it.
package struct MatchedDivergence: Equatable, Sendable {
    /// KL(π ‖ π_ref) in nats per response, of responses that no training saw.
    package var kl: Double
    /// How far the weights are from the reference's, as a part of how far training had moved them.
    package var distance: Double
}

/// Brings a policy to a divergence from its reference, along the line of weights from the reference's through its own;
/// every rank calls it, with the same result.
///
/// Training ends beyond its `max_kl`, or by chance short of it: its steps are long, and their divergence is noisy.
/// Between a policy and where it started, weights on the line trade reward for divergence about as training did (Ramé
/// et al. 2024, "WARP", arXiv 2406.16768, §3.3). The divergence is measured on as many responses as the steps of a
/// `DivergenceTrend` have, of the same random numbers each time; the place on the line is then found by secants.
///
/// - Parameter rescale: multiplies the distance of the policy's weights from the reference's.
/// - Returns: where it is now: within 2 % of `target`, if six measurements found that.
/// - Throws: `Failure(.internalError)` where a divergence is not finite.
package func matchDivergence<Policy: SamplingPolicy>(
    of policy: Policy,
    to target: Double,
    reference: Policy.Reference,
    task: PolicyTask,
    settings: PolicySettings,
    communicator: any Communicator,
    rescale: (Float) throws -> Void
) throws -> MatchedDivergence {
    func measured() throws -> Double {
        try divergence(of: policy, reference: reference, task: task, settings: settings, communicator: communicator)
    }
    var found = MatchedDivergence(kl: try measured(), distance: 1)
    // Near the reference the divergence grows with the square of the distance.
    var exponent = 2.0
    for _ in 0..<5 where found.kl > 0 && abs(found.kl / target - 1) > 0.02 {
        let factor = Float(min(max(pow(target / found.kl, 1 / exponent), 0.5), 1.25))
        try rescale(factor)
        let kl = try measured()
        let slope = log(kl / found.kl) / log(Double(factor))
        exponent = slope.isFinite ? min(max(slope, 1), 8) : 2
        found = MatchedDivergence(kl: kl, distance: found.distance * Double(factor))
    }
    return found
}

/// KL(π ‖ π_ref) in nats per response, of fresh responses.
private func divergence<Policy: SamplingPolicy>(
    of policy: Policy,
    reference: Policy.Reference,
    task: PolicyTask,
    settings: PolicySettings,
    communicator: any Communicator
) throws -> Double {
    let mean = try meanOfFreshResponses(
        of: policy,
        reference: reference,
        task: task,
        settings: settings,
        communicator: communicator,
        width: 1
    ) { rollouts in [rollouts.reduce(0) { $0 + $1.divergence }] }
    guard mean[0].isFinite else {
        throw Failure(.internalError, "the policy's divergence from the reference is not finite", at: "policy.max_kl")
    }
    return mean[0]
}
