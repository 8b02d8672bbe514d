// Shapes: U users, D head weights.

/// What users' present models leave unexplained, on some of their comparisons.
struct Residuals {
    /// [U][D]: each user's mean gradient of log σ(Δ) with respect to the head.
    var gradients: [[Double]]
    /// [U]: how many comparisons that is the mean of.
    var weights: [Double]

    /// Positions of the users who have any.
    var present: [Int] { weights.indices.filter { weights[$0] > 0 } }

    /// The same, the mean over all comparisons subtracted.
    func centered() -> Residuals {
        let center = mean(of: present)
        return Residuals(gradients: gradients.map { zip($0, center).map { $0 - $1 } }, weights: weights)
    }

    /// The same, each coordinate multiplied by a factor.
    func scaled(by factors: [Double]) -> Residuals {
        Residuals(gradients: gradients.map { zip($0, factors).map { $0 * $1 } }, weights: weights)
    }

    /// The residuals over both sets of comparisons.
    func pooled(with other: Residuals) -> Residuals {
        let total = zip(weights, other.weights).map { $0 + $1 }
        let pooled = gradients.indices.map { user in
            zip(gradients[user], other.gradients[user]).map {
                total[user] == 0 ? 0 : (weights[user] * $0 + other.weights[user] * $1) / total[user]
            }
        }
        return Residuals(gradients: pooled, weights: total)
    }

    /// The mean gradient over all comparisons of some users.
    func mean(of users: [Int]) -> [Double] {
        let total = users.reduce(0) { $0 + weights[$1] }
        var mean = Array(repeating: 0.0, count: gradients.first?.count ?? 0)
        for user in users where total > 0 {
            for column in mean.indices { mean[column] += weights[user] / total * gradients[user][column] }
        }
        return mean
    }

    /// Mean gradient of the users on one side less that of the others.
    func difference(_ side: [Int]) -> [Double] {
        zip(mean(of: side), mean(of: others(than: side))).map { $0 - $1 }
    }

    /// The users on the other side.
    func others(than side: [Int]) -> [Int] {
        let side = Set(side)
        return present.filter { !side.contains($0) }
    }

    /// Lloyd's iterations of weighted 2-means from a side; nil where one side is empty at the end.
    func split(from start: [Int]) -> [Int]? {
        var side = start
        for _ in 0..<20 {
            let rest = others(than: side)
            if side.isEmpty || rest.isEmpty { return nil }
            let inner = mean(of: side)
            let outer = mean(of: rest)
            let next = present.filter { squaredDistance(gradients[$0], inner) < squaredDistance(gradients[$0], outer) }
            if next == side { break }
            side = next
        }
        return side.isEmpty || side.count == present.count ? nil : side
    }
}

/// A split of users in two: the side of fewer users, ascending, and how much the log-likelihood would gain of it.
struct ResidualSplit: Equatable {
    let side: [Int]
    let gain: Double
}

/// Splits users in two by the direction of what their present models leave unexplained: different splits, the one of
/// highest gain first, none without gain.
///
/// At a fitted model the users' gradients cancel in sum, but users who want different things pull in different
/// directions, even where the model is a compromise that explains everyone about alike. Giving a set of users a model
/// of its own raises the log-likelihood, after one Newton step of the head, in proportion to the squared difference
/// between the two sides' mean gradients in coordinates of unit noise: the objective of 2-means. Lloyd's iterations on
/// `fit` start from each of the `anchors` (users, worst explained first) as a side of its own. With few users in many
/// dimensions any split of noise looks good to itself, so splits compete by cross-validation: the inner product of the
/// difference on `fit` with that on `check`, zero on average for noise. Each is then settled on all comparisons.
func residualSplits(fit: Residuals, check: Residuals, anchors: [Int]) -> [ResidualSplit] {
    let factors = noiseFactors(fit.centered(), check.centered())
    let fitted = fit.centered().scaled(by: factors)
    let checked = check.centered().scaled(by: factors)
    let pooled = fitted.pooled(with: checked)
    let splits = anchors.compactMap { anchor -> ResidualSplit? in
        guard let side = fitted.split(from: [anchor]) else { return nil }
        let sideWeight = side.reduce(0) { $0 + check.weights[$1] }
        let restWeight = check.weights.reduce(0, +) - sideWeight
        guard sideWeight > 0, restWeight > 0 else { return nil }
        let agreement = zip(fitted.difference(side), checked.difference(side)).reduce(0) { $0 + $1.0 * $1.1 }
        let gain = sideWeight * restWeight / (sideWeight + restWeight) * agreement
        guard gain > 0 else { return nil }
        let settled = pooled.split(from: side) ?? side
        let others = pooled.others(than: settled)
        // Which side an anchor was on means nothing.
        let isSmaller = (settled.count, settled[0]) < (others.count, others.first ?? 0)
        return ResidualSplit(side: isSmaller ? settled : others, gain: gain)
    }
    return differentSplits(splits)
}

/// The splits without those that an earlier one has made already, by falling gain.
func differentSplits(_ splits: [ResidualSplit]) -> [ResidualSplit] {
    splits.enumerated().sorted { ($1.element.gain, $0.offset) < ($0.element.gain, $1.offset) }.map(\.element)
        .reduce(into: []) { kept, split in
            if !kept.contains(where: { $0.side == split.side }) { kept.append(split) }
        }
}

/// [D]: factors that bring the noise of one comparison to 1 in each coordinate.
///
/// Noise is what differs between a user's two sets of comparisons; what differs between users may be signal. With σ²
/// the variance of one comparison, two means of m and n comparisons differ by σ²·(1/m + 1/n).
private func noiseFactors(_ first: Residuals, _ second: Residuals) -> [Double] {
    let both = first.present.filter { second.weights[$0] > 0 }
    return (first.gradients.first ?? []).indices.map { column in
        let squares = both.reduce(0) { sum, user in
            let difference = first.gradients[user][column] - second.gradients[user][column]
            return sum + difference * difference / (1 / first.weights[user] + 1 / second.weights[user])
        }
        return squares > 0 ? (Double(both.count) / squares).squareRoot() : 0
    }
}

private func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
}
