import Foundation

/// The state of one task, and how it reads.
struct ProgressTask {
    let name: String
    let total: Int
    let unit: String
    let started: Double
    /// Steps that were done in an earlier process.
    var before = 0
    var done = 0
    var note = ""

    /// As in "reward fit: 42 of 200 steps, 3.10 steps/s, 51 s left, loss 0.61".
    func line(at time: Double) -> String {
        "\(name): " + ([count] + pace(at: time) + notes).joined(separator: ", ")
    }

    /// As in "reward fit [#####-----] 42 of 200 steps, 3.10 steps/s, 51 s left", cut to less than `columns`.
    func bar(at time: Double, columns: Int) -> String {
        let width = 20
        let filled = total > 0 ? min(width, done * width / total) : 0
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let text = "\(name) [\(bar)] " + ([count] + pace(at: time) + notes).joined(separator: ", ")
        // A bar that fills the last column makes some terminals scroll.
        return String(text.prefix(max(1, columns - 1)))
    }

    /// As in "reward fit: 200 steps in 1 min 04 s, 3.10 steps/s, loss 0.58".
    func closingLine(at time: Double, _ summary: String) -> String {
        let rate = done > before && time > started ? [rateText(at: time)] : []
        let parts =
            ["\(done - before) \(unit) in \(duration(time - started))"] + rate + (summary.isEmpty ? [] : [summary])
        return "\(name): " + parts.joined(separator: ", ")
    }

    private var count: String { "\(done) of \(total) \(unit)" }

    private var notes: [String] { note.isEmpty ? [] : [note] }

    /// Rate and time left, once there is anything to tell them from.
    private func pace(at time: Double) -> [String] {
        guard done > before, time > started else { return [] }
        let left = (time - started) / Double(done - before) * Double(max(0, total - done))
        return [rateText(at: time), "\(duration(left)) left"]
    }

    private func rateText(at time: Double) -> String {
        let rate = Double(done - before) / (time - started)
        if rate < 1 { return "\(digits(1 / rate)) s each" }
        return "\(digits(rate)) \(unit)/s"
    }
}

/// Three significant digits, or all digits before the point.
private func digits(_ value: Double) -> String {
    String(format: value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value)
}

/// Seconds for people: "0.4 s", "51 s", "3 min 20 s", "2 h 05 min".
func duration(_ seconds: Double) -> String {
    if seconds < 9.95 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return String(format: "%d min %02d s", whole / 60, whole % 60) }
    return String(format: "%d h %02d min", whole / 3600, whole % 3600 / 60)
}
