import MaxMinPolicy

/// What theory says that the objectives give each group, and what follows.
struct GainForecast {
    /// One policy is as good as another where it gives the worst-off group this part of what the other gives it.
    private static let goodEnough = 0.8
    /// A gain below this part of what a group's own policy would give it is none.
    private static let noGain = 0.1

    /// The gain of each group under an objective, as a part of what its own policy would give it.
    let maxmin, utilitarian, proportional, single: [Double]

    /// - Parameters:
    ///   - correlations: those of the groups' rewards within prompts.
    ///   - shares: the groups' parts of all users.
    ///   - single: what the single reward gives each group; nil: as `proportional`, which is what one reward for all
    ///     users learns where groups differ by taste only.
    init(correlations: [[Double]], shares: [Double], single: [Double]? = nil) {
        maxmin = PredictedGains.of(weights: PredictedGains.maxminWeights(correlations), correlations)
        utilitarian = PredictedGains.of(weights: shares.map { _ in 1 / Double(shares.count) }, correlations)
        proportional = PredictedGains.of(weights: shares, correlations)
        self.single = single ?? proportional
    }

    /// All of them by name.
    var predictions: [(objective: String, gains: [Double])] {
        [("maxmin", maxmin), ("utilitarian", utilitarian), ("proportional", proportional), ("single", single)]
    }

    /// The rules are those of docs/algorithm.md.
    var verdict: Diagnosis.Verdict {
        if least(single) >= Self.goodEnough { return .oneReward }
        if least(maxmin) <= Self.noGain { return .noneImprovesAll }
        return leftBehind.isEmpty ? .meanServes : .meanLeavesBehind
    }

    /// The groups to which the mean gives too little of what MaxMin gives its worst-off group.
    var leftBehind: [Int] {
        utilitarian.indices.filter { utilitarian[$0] < Self.goodEnough * least(maxmin) }
    }

    private func least(_ gains: [Double]) -> Double { gains.min() ?? 0 }
}
