/// Which numbers a key accepts.
package enum Bounds<Number: Comparable & Sendable>: Sendable {
    case any
    case above(Number)
    case atLeast(Number)
    case from(Number, to: Number)
    /// Above the first, at most the second.
    case over(Number, upTo: Number)

    package func contains(_ value: Number) -> Bool {
        switch self {
        case .any: true
        case .above(let low): value > low
        case .atLeast(let low): value >= low
        case .from(let low, to: let high): value >= low && value <= high
        case .over(let low, upTo: let high): value > low && value <= high
        }
    }

    /// As in the reference and in messages: `> 0`, `0 to 1`; nil where any number will do.
    package var text: String? {
        switch self {
        case .any: nil
        case .above(let low): "> \(plain(low))"
        case .atLeast(let low): "≥ \(plain(low))"
        case .from(let low, to: let high): "\(plain(low)) to \(plain(high))"
        case .over(let low, upTo: let high): "> \(plain(low)), ≤ \(plain(high))"
        }
    }

    private func plain(_ number: Number) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
