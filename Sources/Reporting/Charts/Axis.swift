import Foundation

/// A linear axis: its range, and round numbers to write along it.
struct Axis: Equatable {
    let low: Double
    let high: Double
    let ticks: [Double]
    private let decimals: Int

    /// The axis that holds all values that can be drawn, those of `including` too, ending at round numbers.
    init(_ values: some Sequence<Double>, including extra: [Double] = [], ticks wanted: Int = 5, integers: Bool = false)
    {
        let drawn = (Array(values) + extra).filter(isDrawable)
        var (least, most) = (drawn.min() ?? 0, drawn.max() ?? 1)
        if most - least <= max(1e-9 * max(abs(least), abs(most)), 1e-100) {
            let room = max(abs(least) * 0.1, integers ? 1 : 0.01)
            (least, most) = (least - room, most + room)
        }
        let rough = (most - least) / Double(wanted)
        let power = pow(10, log10(rough).rounded(.down))
        let rounded = power * ([1, 2, 5].first { $0 * power >= rough * 0.999 } ?? 10)
        let step = integers ? max(1, rounded) : rounded
        let (first, last) = ((least / step).rounded(.down), (most / step).rounded(.up))
        low = first * step
        high = last * step
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        decimals = min(12, max(0, Int((-log10(step)).rounded(.up))))
    }

    /// Where a value lies between two ends of a drawing.
    func position(of value: Double, from start: Double, to end: Double) -> Double {
        start + (value - low) / (high - low) * (end - start)
    }

    /// A tick as text, as `0.05` or `40k`.
    func label(_ tick: Double) -> String {
        if max(abs(low), abs(high)) >= 1e6 { return String(format: "%.3g", tick) }
        if abs(tick) >= 10_000, tick.truncatingRemainder(dividingBy: 100) == 0 {
            return String(format: "%.3gk", tick / 1000)
        }
        let text = decimal(tick, decimals)
        return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
    }
}

/// Whether a drawing has a place for a number: it is finite, and sums of such numbers are.
func isDrawable(_ value: Double) -> Bool { value.magnitude < 1e100 }

/// A number with this many decimals, whatever the locale.
func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
