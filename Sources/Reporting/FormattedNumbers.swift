import Foundation

extension BinaryFloatingPoint {
    /// The number with this many decimals, whatever the locale.
    package func formatted(decimals: Int) -> String { String(format: "%.\(decimals)f", Double(self)) }
}
