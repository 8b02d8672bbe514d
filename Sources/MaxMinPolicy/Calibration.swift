package import Collectives
import Failures
import Foundation
import Tensors

/// The common origin and unit of the reward models, learned from samples of the reference policy.
///
/// Stored with the reward models. One entry of each list per reward model: K groups, then the single model if there is
/// one.
package struct Calibration: Equatable, Sendable {
    /// How a raw reward r_u becomes r̃_u.
    package enum Method: String, CaseIterable, Sendable {
        /// (r − μ)/σ.
        case standardize
        /// r − μ.
        case center
        /// log σ(r − μ(x)), μ(x) the median over reference samples of the prompt (arXiv 2402.00742).
        case logSigmoid = "log-sigmoid"
        /// r itself, as in the paper's code.
        case none
    }

    /// How rewards are transformed.
    package var method: Method
    /// μ of each reward model over the reference samples.
    package var means: [Double]
    /// σ of each reward model: the root of its mean variance over the reference samples of one prompt.
    ///
    /// What lies between prompts no comparison shows and no policy can move.
    package var deviations: [Double]
    /// Mean r̃ of the reference samples: the utility of the reference policy, which `nash` and `alpha-fair` bargain
    /// from.
    package var referenceUtilities: [Double]
    /// Correlations of the reward models over the reference samples of a prompt, [models][models]; empty where they are
    /// not known.
    package var correlations: [[Double]]
    /// Prompts sampled.
    package var prompts: Int
    /// Samples of each; `log-sigmoid` draws as many for the median of a prompt that it meets later.
    package var samplesPerPrompt: Int
    /// FNV-1a hash of the samples' token ids, in hexadecimal: says which samples these are.
    package var samplesHash: String

    /// A calibration read back from its file.
    package init(
        method: Method,
        means: [Double],
        deviations: [Double],
        referenceUtilities: [Double],
        correlations: [[Double]],
        prompts: Int,
        samplesPerPrompt: Int,
        samplesHash: String
    ) {
        self.method = method
        self.means = means
        self.deviations = deviations
        self.referenceUtilities = referenceUtilities
        self.correlations = correlations
        self.prompts = prompts
        self.samplesPerPrompt = samplesPerPrompt
        self.samplesHash = samplesHash
    }

    /// Rewards as they are, for `calibration: none`.
    package static func none(rewardModels: Int) -> Calibration {
        Calibration(
            method: .none,
            means: Array(repeating: 0, count: rewardModels),
            deviations: Array(repeating: 1, count: rewardModels),
            referenceUtilities: Array(repeating: 0, count: rewardModels),
            correlations: [],
            prompts: 0,
            samplesPerPrompt: 0,
            samplesHash: ""
        )
    }

    /// That of the first so many models.
    package func first(_ models: Int) -> Calibration {
        var first = self
        first.means = Array(means.prefix(models))
        first.deviations = Array(deviations.prefix(models))
        first.referenceUtilities = Array(referenceUtilities.prefix(models))
        first.correlations = correlations.prefix(models).map { Array($0.prefix(models)) }
        return first
    }

    /// Correlations of the first `groups` models where `method` gives them one unit; else empty.
    func groupCorrelations(_ groups: Int) -> [[Double]] {
        method == .standardize ? correlations.prefix(groups).map { Array($0.prefix(groups)) } : []
    }

    /// r̃ of one reward model's raw rewards.
    ///
    /// - Parameter medians: for `log-sigmoid`, the median raw reward over reference samples of each response's prompt.
    package func calibrated(_ rewards: [Float], model: Int, medians: [Float]) -> [Float] {
        switch method {
        case .standardize:
            return rewards.map { Float((Double($0) - means[model]) / deviations[model]) }
        case .center:
            return rewards.map { Float(Double($0) - means[model]) }
        case .logSigmoid:
            precondition(medians.count == rewards.count, "log-sigmoid needs the median of every response's prompt")
            return zip(rewards, medians).map { Float(logSigmoid(Double($0) - Double($1))) }
        case .none:
            return rewards
        }
    }
}

/// Fits μ, σ and the reference utilities to a matrix of raw rewards, one part of it on each shard.
///
/// - Parameters:
///   - rewards: this rank's shards × reward models × the shard's reference samples; the samples of a prompt follow one
///     another.
///   - rewardModels: how many reward models there are.
///   - prompts: how many prompts were sampled on all ranks.
///   - samplesPerPrompt: two or more.
/// - Throws: `Failure(.internalError)` if a reward is not finite, `Failure(.badData)` if a model's rewards do not vary.
package func fitCalibration(
    _ method: Calibration.Method,
    rewards: [[[Float]]],
    rewardModels: Int,
    prompts: Int,
    samplesPerPrompt: Int,
    samplesHash: String,
    communicator: any Communicator
) throws -> Calibration {
    var calibration = Calibration.none(rewardModels: rewardModels)
    calibration.method = method
    calibration.prompts = prompts
    calibration.samplesPerPrompt = samplesPerPrompt
    calibration.samplesHash = samplesHash
    let covariance = try covarianceWithinPrompts(
        rewards,
        rewardModels: rewardModels,
        prompts: prompts,
        samplesPerPrompt: samplesPerPrompt,
        communicator: communicator
    )
    calibration.correlations = correlations(of: covariance)
    for model in 0..<rewardModels {
        let rows = rewards.map { $0[model] }
        let mean = try globalMoments(rows, communicator: communicator).mean
        let deviation = covariance[model][model].squareRoot()
        guard mean.isFinite, deviation.isFinite else {
            throw Failure(.internalError, "reward model \(model) gives rewards that are not finite", at: "calibrate")
        }
        calibration.means[model] = mean
        calibration.deviations[model] = deviation
        // Rewards are of order 1; a spread below rounding error is none.
        guard method != .standardize || deviation > 1e-6 * max(1, abs(mean)) else {
            throw Failure(
                .badData,
                "reward model \(model) gives all reference samples of a prompt the same reward; train it longer or "
                    + "use center",
                at: "calibrate.method"
            )
        }
        let calibrated = rows.map { row in
            let medians = medians(of: row, samplesPerPrompt: samplesPerPrompt)
            return calibration.calibrated(row, model: model, medians: medians)
        }
        calibration.referenceUtilities[model] = try globalMoments(calibrated, communicator: communicator).mean
    }
    return calibration
}

/// Σ_ij = Σ_x Σ_y (r_i − r̄_i(x))(r_j − r̄_j(x)) / (samples − prompts), with the mean r̄(x) over the samples y of
/// prompt x.
func covarianceWithinPrompts(
    _ rewards: [[[Float]]],
    rewardModels: Int,
    prompts: Int,
    samplesPerPrompt: Int,
    communicator: any Communicator
) throws -> [[Double]] {
    precondition(samplesPerPrompt > 1, "one sample of a prompt has no variance")
    let products = try communicator.sumOverShards(
        rewards.map { shard in
            let centered = shard.map { row in
                stride(from: 0, to: row.count, by: samplesPerPrompt).flatMap { start in
                    let samples = row[start..<start + samplesPerPrompt].map(Double.init)
                    let mean = samples.reduce(0, +) / Double(samplesPerPrompt)
                    return samples.map { $0 - mean }
                }
            }
            return centered.flatMap { a in centered.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
        },
        width: rewardModels * rewardModels
    )
    let freedom = Double(prompts * (samplesPerPrompt - 1))
    return (0..<rewardModels).map { i in (0..<rewardModels).map { products[i * rewardModels + $0] / freedom } }
}

/// ρ_ij = Σ_ij/√(Σ_ii·Σ_jj); 0 where one of the two does not vary.
func correlations(of covariance: [[Double]]) -> [[Double]] {
    covariance.indices.map { i in
        covariance.indices.map { j in
            let scale = (covariance[i][i] * covariance[j][j]).squareRoot()
            return scale > 0 ? covariance[i][j] / scale : 0
        }
    }
}

/// The median over each prompt's samples, repeated for each of them.
func medians(of rewards: [Float], samplesPerPrompt: Int) -> [Float] {
    stride(from: 0, to: rewards.count, by: samplesPerPrompt).flatMap { start in
        let samples = Array(rewards[start..<min(start + samplesPerPrompt, rewards.count)])
        return Array(repeating: median(samples), count: samples.count)
    }
}
