import Foundation

/// log σ(x) = −log(1 + e⁻ˣ) = min(x, 0) − log(1 + e⁻|ˣ|), without overflow for any x.
package func logSigmoid(_ x: Double) -> Double {
    min(x, 0) - log1p(exp(-abs(x)))
}

/// σ(x) = 1/(1 + e⁻ˣ), without overflow for any x.
package func sigmoid(_ x: Double) -> Double {
    let tail = exp(-abs(x))
    return x >= 0 ? 1 / (1 + tail) : tail / (1 + tail)
}

/// The middle one of at least one number, or the mean of the middle two.
package func median<Number: BinaryFloatingPoint>(_ values: [Number]) -> Number {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
