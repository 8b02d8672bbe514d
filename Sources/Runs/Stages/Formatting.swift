import Foundation
import StrictJSON

extension BinaryFloatingPoint {
    /// The number with this many decimals, whatever the locale.
    func formatted(decimals: Int) -> String { String(format: "%.\(decimals)f", Double(self)) }
}

extension JSONValue {
    /// A number, or null.
    init(optional number: Double?) { self = number.map(JSONValue.number) ?? .null }
}
