import Foundation

/// The root's choice of how much each group's reward counts, and its memory of past choices.
package struct GroupWeighting: Equatable, Sendable {
    private let settings: PolicySettings
    private let groupSizes: [Double]
    /// Running mean of past weights; it starts equal (by size with `proportional`, at its group with `only`, at the
    /// weights that theory predicts with `maxmin`).
    package private(set) var memory: [Double]
    /// Weights of the last step, before `nominal_mix`.
    package private(set) var chosen: [Double]

    /// Weights for K groups of these sizes (users, or any positive measure).
    ///
    /// - Parameter correlations: of the groups' rewards within prompts, where rewards have one unit; empty: not known.
    package init(_ settings: PolicySettings, groupSizes: [Double], correlations: [[Double]] = []) {
        precondition(!groupSizes.isEmpty, "at least one group")
        self.settings = settings
        self.groupSizes = groupSizes
        let total = groupSizes.reduce(0, +)
        switch settings.objective {
        case .only(let group):
            precondition(groupSizes.indices.contains(group), "no group \(group)")
            memory = oneHot(group, count: groupSizes.count)
        case .proportional where total > 0:
            memory = groupSizes.map { $0 / total }
        // Where groups are opposed, few steps pass before the divergence is spent, and each tells little of who is
        // worst off. Equal weights would spend those steps on the mean.
        case .maxmin where !correlations.isEmpty:
            memory = PredictedGains.maxminWeights(correlations)
        default:
            memory = groupSizes.map { _ in 1 / Double(groupSizes.count) }
        }
        chosen = memory
    }

    /// The weights in use: the chosen ones blended with equal weights, (1 − λ)·w + λ/K; not with `only`.
    package var weights: [Double] {
        if case .only = settings.objective { return chosen }
        let mix = Double(settings.nominalMix)
        return chosen.map { (1 - mix) * $0 + mix / Double(chosen.count) }
    }

    /// Takes note of a step's utilities F_u.
    ///
    /// - Parameters:
    ///   - reference: those of the reference policy, which has no divergence.
    ///   - own: with `regret`, F*_u of each group's own policy.
    package mutating func observe(utilities: [Double], reference: [Double], own: [Double] = []) {
        precondition(utilities.count == memory.count, "a utility for every group")
        switch settings.objective {
        case .utilitarian, .proportional, .perResponse, .single, .only:
            return
        case .mirror:
            chosen = mirrored(chosen, utilities: utilities, rate: Double(settings.mirrorRate))
        case .maxmin:
            lean(against: utilities)
        case .regret:
            precondition(own.count == utilities.count, "an own policy's utility for every group")
            lean(against: zip(utilities, own).map { $0 - $1 })
        case .softmin:
            smooth(softminWeights(utilities, temperature: Double(settings.weightsTemperature)))
        case .nash:
            smooth(fairWeights(utilities, reference: reference, alpha: 1))
        case .alphaFair:
            smooth(fairWeights(utilities, reference: reference, alpha: Double(settings.alpha)))
        }
    }

    /// Takes over the root's weights, so that every rank weighs alike.
    package mutating func adopt(memory: [Double], chosen: [Double]) {
        precondition([memory.count, chosen.count] == [groupSizes.count, groupSizes.count], "a weight for every group")
        self.memory = memory
        self.chosen = chosen
    }

    /// Chooses w = argmin_w Σ_u w_u F_u + τ·KL(w ‖ m), where m is the running mean of past choices: w ∝ m·exp(−F/τ).
    ///
    /// The proximal form of the least utility, min_w Σ_u w_u F_u. It rests where w = m, and there every group that
    /// counts has the least utility: the MaxMin solution, whatever τ. The policy sums up past weights by itself. So
    /// weights that sum them up too, as a mean of past argmins does, swing around that solution; leaning against the
    /// present gap damps the swing.
    private mutating func lean(against utilities: [Double]) {
        chosen = mirrored(memory, utilities: utilities, rate: 1 / Double(settings.weightsTemperature))
        remember(chosen)
    }

    /// Chooses the running mean of targets.
    private mutating func smooth(_ target: [Double]) {
        remember(target)
        chosen = memory
    }

    /// m ← 2^(−1/h)·m + (1 − 2^(−1/h))·w, where half-life h = 0 keeps nothing of m.
    private mutating func remember(_ weights: [Double]) {
        let kept = settings.halfLife > 0 ? exp2(-1 / Double(settings.halfLife)) : 0
        memory = zip(memory, weights).map { kept * $0 + (1 - kept) * $1 }
    }
}

/// The group of least utility; the lowest index of several.
package func worstGroup(_ utilities: [Double]) -> Int {
    var worst = 0
    for group in utilities.indices where utilities[group] < utilities[worst] { worst = group }
    return worst
}

/// All weight on one group.
func oneHot(_ index: Int, count: Int) -> [Double] {
    (0..<count).map { $0 == index ? 1 : 0 }
}

/// w ∝ exp(−F/T), in the stable form: the least utility's exponent is 0.
func softminWeights(_ utilities: [Double], temperature: Double) -> [Double] {
    let least = utilities[worstGroup(utilities)]
    return normalized(utilities.map { exp(-($0 - least) / temperature) })
}

/// One step of mirror descent on the simplex: w ∝ w·exp(−ηF).
///
/// No weight falls below 1e-4: a group that was well off for long must be able to come back within a few steps.
func mirrored(_ weights: [Double], utilities: [Double], rate: Double) -> [Double] {
    let least = utilities[worstGroup(utilities)]
    let moved = normalized(zip(weights, utilities).map { $0 * exp(-rate * ($1 - least)) })
    return normalized(moved.map { max($0, 1e-4) })
}

/// Gradient weights of Σ gain^(1−α)/(1−α), or Σ log gain at α = 1: w ∝ gain^(−α), gain = F − F of the reference.
///
/// Gains below 0.1 count as 0.1: at the start gains are all noise, and a group that has lost has no logarithm.
func fairWeights(_ utilities: [Double], reference: [Double], alpha: Double) -> [Double] {
    precondition(utilities.count == reference.count, "a reference utility for every group")
    let gains = zip(utilities, reference).map { max($0 - $1, 0.1) }
    let least = gains[worstGroup(gains)]
    return normalized(gains.map { pow($0 / least, -alpha) })
}

private func normalized(_ weights: [Double]) -> [Double] {
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
}

/// One reward per response from the rows of a calibrated reward matrix: K groups, then the single model if there is
/// one.
///
/// Σ_u w_u·r̃_u, except: `per-response` takes min_u r̃_u, blended with the mean over groups by λ = `nominal_mix`;
/// `single` takes the single model's row alone.
func combinedRewards(_ rows: [[Float]], weighting: [Double], settings: PolicySettings) -> [Float] {
    let groups = weighting.count
    let responses = rows.first?.count ?? 0
    return (0..<responses).map { response in
        switch settings.objective {
        case .single:
            return rows[groups][response]
        case .perResponse:
            let rewards = (0..<groups).map { rows[$0][response] }
            let least = rewards.min() ?? 0
            let mean = rewards.reduce(0, +) / Float(groups)
            return (1 - settings.nominalMix) * least + settings.nominalMix * mean
        default:
            return (0..<groups).reduce(Float(0)) { $0 + Float(weighting[$1]) * rows[$1][response] }
        }
    }
}
