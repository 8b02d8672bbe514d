/// Largest absolute difference of two equally long lists; infinite where lengths differ or a value is not finite.
package func maximalDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    var worst: Float = 0
    for (x, y) in zip(a, b) {
        let difference = abs(x - y)
        guard difference.isFinite else { return .infinity }
        worst = max(worst, difference)
    }
    return worst
}

/// ‖a − b‖ / max(‖b‖, floor): relative error of a list as a whole.
package func relativeError(_ a: [Float], _ b: [Float], floor: Double = 1e-12) -> Double {
    guard a.count == b.count else { return .infinity }
    var difference = 0.0
    var norm = 0.0
    for (x, y) in zip(a, b) {
        difference += Double(x - y) * Double(x - y)
        norm += Double(y) * Double(y)
    }
    return difference.squareRoot() / max(norm.squareRoot(), floor)
}
