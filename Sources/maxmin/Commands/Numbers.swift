import ArgumentParser
import Foundation

/// What counts may be: products of two of them fit 64 bits.
let counts = 1...Int(Int32.max)

/// Reads a whole number of an option: `@Option(help: "…", transform: whole(counts))`.
func whole(_ range: ClosedRange<Int>) -> @Sendable (String) throws -> Int {
    { text in
        guard let number = Int(text), range.contains(number) else {
            throw ValidationError("needs a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

/// Reads a number of an option; with `orZero`, 0 too.
func decimal(_ range: ClosedRange<Double>, orZero: Bool = false) -> @Sendable (String) throws -> Double {
    { text in
        guard let number = Double(text), range.contains(number) || orZero && number == 0 else {
            let bounds = "from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
            throw ValidationError("needs a number \(bounds)\(orZero ? ", or 0" : "")")
        }
        return number
    }
}

private func plain(_ number: Double) -> String { String(format: "%g", number) }
