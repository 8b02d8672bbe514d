import Foundation
import Testing

@testable import MaxMinPolicy

private func weighting(
    _ objective: PolicySettings.Objective,
    sizes: [Double] = [1, 1, 1],
    _ change: (inout PolicySettings) -> Void = { _ in }
) -> GroupWeighting {
    var settings = PolicySettings()
    settings.objective = objective
    settings.halfLife = 0
    change(&settings)
    return GroupWeighting(settings, groupSizes: sizes)
}

private func observed(_ weighting: GroupWeighting, _ utilities: [Double], reference: [Double] = [0, 0, 0]) -> [Double] {
    var weighting = weighting
    weighting.observe(utilities: utilities, reference: reference)
    return weighting.weights
}

private func isClose(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-9 }
}

/// The choice minimizes Σ w F + τ·KL(w ‖ m) over the simplex; m then moves towards it.
@Test func maxminLeansAgainstTheGap() {
    let (utilities, temperature) = ([0.3, -0.1, 0.2], 0.25)
    var weights = weighting(.maxmin, sizes: [1, 1, 2]) {
        $0.weightsTemperature = Float(temperature)
        $0.halfLife = 1
    }
    weights.adopt(memory: [0.2, 0.3, 0.5], chosen: [0, 0, 1])
    func price(_ w: [Double]) -> Double {
        (0..<3).reduce(0) {
            $0 + w[$1] * utilities[$1] + (w[$1] > 0 ? temperature * w[$1] * log(w[$1] / [0.2, 0.3, 0.5][$1]) : 0)
        }
    }
    weights.observe(utilities: utilities, reference: [0, 0, 0])
    let grid = stride(from: 0.0, through: 1, by: 0.02).flatMap { first in
        stride(from: 0.0, through: 1 - first, by: 0.02).map { [first, $0, max(0, 1 - first - $0)] }
    }
    #expect(grid.allSatisfy { price(weights.weights) <= price($0) + 1e-12 })
    #expect(isClose(weights.memory, zip([0.2, 0.3, 0.5], weights.weights).map { ($0 + $1) / 2 }))
    // Cold and without memory: the paper's argmin.
    var cold = weighting(.maxmin) { $0.weightsTemperature = 1e-4 }
    for worst in [1, 0, 2] {
        cold.observe(utilities: (0..<3).map { $0 == worst ? -0.1 : 0.2 }, reference: [0, 0, 0])
        #expect(cold.weights[worst] > 0.999)
    }
}

/// Two groups that do not care for each other and a third against both: theory gives the third 22/54.
///
/// That is argmin wᵀΣw over the simplex. Two groups have one half each whatever the correlation.
@Test func maxminStartsAtTheWeightsThatTheoryPredicts() {
    var settings = PolicySettings()
    settings.objective = .maxmin
    func start(_ correlations: [[Double]]) -> [Double] {
        let sizes = Array(repeating: 1.0, count: max(2, correlations.count))
        return GroupWeighting(settings, groupSizes: sizes, correlations: correlations).weights
    }
    let opposed = start([[1, 0, -0.6], [0, 1, -0.6], [-0.6, -0.6, 1]])
    #expect(zip(opposed, [16.0 / 54, 16.0 / 54, 22.0 / 54]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(start([[1, -0.9], [-0.9, 1]]) == [0.5, 0.5])
    #expect(start([]) == [0.5, 0.5])
    settings.objective = .utilitarian
    #expect(start([[1, 0, -0.6], [0, 1, -0.6], [-0.6, -0.6, 1]]) == Array(repeating: 1.0 / 3, count: 3))
}

/// Correlations tell of weights only where the groups' rewards have one unit.
@Test func onlyStandardizedRewardsHaveCorrelationsOfGroups() {
    var calibration = Calibration.none(rewardModels: 3)
    calibration.correlations = [[1, 0.2, 0.5], [0.2, 1, 0.6], [0.5, 0.6, 1]]
    #expect(calibration.groupCorrelations(2) == [])
    calibration.method = .standardize
    #expect(calibration.groupCorrelations(2) == [[1, 0.2], [0.2, 1]])
}

@Test func memoryHalvesInItsHalfLife() {
    var weights = weighting(.softmin) {
        $0.halfLife = 4
        $0.weightsTemperature = 1e-4
    }
    for _ in 0..<4 { weights.observe(utilities: [0, 1, 1], reference: [0, 0, 0]) }
    #expect(isClose(weights.weights, [2.0 / 3, 1.0 / 6, 1.0 / 6]))
}

/// A policy that adds up past weights and answers late, for two groups that do not care for each other and a third
/// against both: the weights come to rest at the solution, where all are alike.
@Test func maxminComesToRest() {
    var settings = PolicySettings()
    settings.objective = .maxmin
    let correlations = [[1, 0, -0.6], [0, 1, -0.6], [-0.6, -0.6, 1]]
    // The third group's reward is easier to move than its correlations say.
    let ease = [1.0, 1, 1.5]
    var weights = GroupWeighting(settings, groupSizes: [1, 1, 1], correlations: correlations)
    var (moved, speed) = ([0.0, 0, 0], [0.0, 0, 0])
    var gaps: [Double] = []
    for _ in 0..<400 {
        let gains = correlations.map { row in (0..<3).reduce(0) { $0 + row[$1] * ease[$1] * moved[$1] } }
        gaps.append((gains.max() ?? 0) - (gains.min() ?? 0))
        weights.observe(utilities: gains, reference: [0, 0, 0])
        speed = zip(speed, weights.weights).map { 0.9 * $0 + 0.1 * $1 }
        moved = zip(moved, speed).map { 0.995 * $0 + 0.05 * $1 }
    }
    #expect(gaps.max() ?? 0 < 0.25, "\(gaps)")
    #expect(gaps.suffix(100).allSatisfy { $0 < 0.01 }, "\(gaps.suffix(100))")
}

/// The first group is worst off, and the third is furthest from what it could have.
@Test func regretWeighsTheGroupThatMissesMost() {
    var weights = weighting(.regret) { $0.weightsTemperature = 0.5 }
    weights.observe(utilities: [0.1, 0.5, 0.4], reference: [0, 0, 0], own: [0.2, 0.7, 1.0])
    let raw = [exp(0.2), exp(0.4), exp(1.2)]
    #expect(isClose(weights.weights, raw.map { $0 / raw.reduce(0, +) }))
}

@Test func onlyNeverLeavesItsGroup() {
    #expect(weighting(.only(group: 1)).weights == [0, 1, 0])
    #expect(observed(weighting(.only(group: 2)) { $0.nominalMix = 0.3 }, [5, 1, 2]) == [0, 0, 1])
}

@Test func softminIsASoftmaxOfLosses() {
    let utilities = [0.5, 0.0, 1.0]
    let total = utilities.reduce(0.0) { $0 + exp(-$1 / 0.5) }
    let result = observed(weighting(.softmin) { $0.weightsTemperature = 0.5 }, utilities)
    #expect(isClose(result, utilities.map { exp(-$0 / 0.5) / total }))
    // Far apart and cold: the one-hot of maxmin, without overflow.
    #expect(observed(weighting(.softmin) { $0.weightsTemperature = 1e-4 }, [-1e3, 0, 1e3]) == [1, 0, 0])
}

@Test func mirrorMultipliesUp() {
    var weights = weighting(.mirror) { $0.mirrorRate = 0.5 }
    weights.observe(utilities: [1, 2, 3], reference: [0, 0, 0])
    weights.observe(utilities: [1, 0, 3], reference: [0, 0, 0])
    let raw = [exp(-1.0), exp(-1.0), exp(-3.0)]
    #expect(isClose(weights.weights, raw.map { $0 / raw.reduce(0, +) }))
    // A group that was best off for long still comes back within steps.
    for _ in 0..<1000 { weights.observe(utilities: [0, 0, 10], reference: [0, 0, 0]) }
    for _ in 0..<6 { weights.observe(utilities: [5, 5, 0], reference: [0, 0, 0]) }
    #expect(weights.weights[2] > 0.9)
}

/// The weights are the gradient of the welfare function in the gains.
@Test func fairWeightsAreGradientsOfWelfare() {
    let (utilities, reference) = ([0.9, 0.6, 1.4], [-0.1, 0.1, 0.4])
    #expect(isClose(observed(weighting(.nash), utilities, reference: reference), [1 / 4.0, 1 / 2.0, 1 / 4.0]))
    let squared = observed(weighting(.alphaFair) { $0.alpha = 2 }, utilities, reference: reference)
    #expect(isClose(squared, [1 / 6.0, 4 / 6.0, 1 / 6.0]))
    #expect(isClose(observed(weighting(.alphaFair) { $0.alpha = 0 }, utilities), [1 / 3.0, 1 / 3.0, 1 / 3.0]))
    // A loss counts as the smallest gain.
    #expect(isClose(observed(weighting(.nash, sizes: [1, 1]), [-5, 0.1], reference: [0, 0]), [0.5, 0.5]))
}

@Test func fixedWeightsStay() {
    #expect(isClose(observed(weighting(.utilitarian), [5, 1, 2]), [1 / 3.0, 1 / 3.0, 1 / 3.0]))
    #expect(
        isClose(observed(weighting(.proportional, sizes: [20, 2, 2]), [5, 1, 2]), [20 / 24.0, 2 / 24.0, 2 / 24.0])
    )
}

@Test func nominalMixKeepsAShareEqual() {
    let cold = weighting(.softmin) {
        $0.nominalMix = 0.3
        $0.weightsTemperature = 1e-4
    }
    let weights = observed(cold, [1, 0, 2])
    #expect(isClose(weights.map { ($0 * 1e6).rounded() / 1e6 }, [0.1, 0.8, 0.1]))
}

@Test func responsesEarnByObjective() {
    var settings = PolicySettings()
    let rows: [[Float]] = [[1, 4], [3, 2], [-7, 7]]
    #expect(combinedRewards(rows, weighting: [0.5, 0.5], settings: settings) == [2, 3])
    settings.objective = .perResponse
    #expect(combinedRewards(rows, weighting: [0.5, 0.5], settings: settings) == [1, 2])
    settings.nominalMix = 0.5
    #expect(combinedRewards(rows, weighting: [0.5, 0.5], settings: settings) == [1.5, 2.5])
    settings.objective = .single
    #expect(combinedRewards(rows, weighting: [0.5, 0.5], settings: settings) == [-7, 7])
}
