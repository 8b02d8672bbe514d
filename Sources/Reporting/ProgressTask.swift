import Foundation

/// The state of one task, and how it reads.
struct ProgressTask {
    let name: String
    let total: Int
    let unit: String
    let started: Double
    /// Steps that were done in an earlier process.
    let before: Int
    private(set) var done: Int
    /// How many steps were done when, about a second apart: the first is a minute ago, or the start.
    private var marks: [(time: Double, done: Int)]
    /// What is shown beside the progress, the most important first.
    var notes: [String] = []
    /// What is done between two steps; it is shown before the notes.
    var between: String?

    /// A task that begins at a time, `done` of its steps done by an earlier process.
    init(name: String, total: Int, unit: String, started: Double, done: Int) {
        self.name = name
        self.total = total
        self.unit = unit
        self.started = started
        before = done
        self.done = done
        marks = [(started, done)]
    }

    /// Counts steps as done.
    mutating func advance(by steps: Int, at time: Double) {
        done += steps
        if let last = marks.last, time - last.time >= 1 { marks.append((time, done)) }
        while marks.count > 1, time - marks[1].time >= 60 { marks.removeFirst() }
    }

    /// As in "reward fit: 42 of 200 steps, 3.10 steps/s, 51 s left, loss 0.61".
    ///
    /// Rate and time left, here and in a bar, are those of the last minute.
    func line(at time: Double) -> String {
        let pace = pace(since: marks[0], at: time)
        let figures = pace.map { [rate($0), "\(duration(secondsLeft($0))) left"] } ?? [duration(time - started)]
        return "\(name): " + (["\(done) of \(total) \(unit)"] + figures + shown).joined(separator: ", ")
    }

    /// As in "reward fit [#####-----]  42/200  3.10/s  51s left  loss 0.61  KL 2.5", in less than `columns`; before the
    /// first step as in "reward fit [----------]  0/200  12s".
    ///
    /// Two notes come before the rate, and both before a longer bar; no note is cut.
    func bar(at time: Double, columns: Int) -> String {
        // A bar that fills the last column makes some terminals scroll.
        let room = max(1, columns - 1)
        let pace = pace(since: marks[0], at: time)
        // Before the first step, what it has taken so far: a bar that changes is alive.
        let left = pace.map { "\(shortDuration(secondsLeft($0))) left" } ?? shortDuration(time - started)
        let notes = shown
        let wishes = [(notes.count, true), (2, true), (2, false), (1, false), (0, false)]
        for (count, hasRate) in wishes {
            let own = notes.prefix(count)
            let rate = hasRate ? pace.map(shortRate) : nil
            let figures = (["\(done)/\(total)"] + [rate, left].compactMap { $0 } + own).joined(separator: "  ")
            let width = min(20, room - name.count - figures.count - 5)
            guard width >= 4 else { continue }
            let filled = total > 0 ? max(0, min(width, Int(Double(width) * Double(done) / Double(total)))) : 0
            let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
            return "\(name) [\(bar)]  \(figures)"
        }
        return shortened("\(name)  \(done)/\(total)", to: room)
    }

    /// As in "reward fit: 200 steps in 1 min 04 s, 3.10 steps/s, loss 0.58".
    ///
    /// - Parameter columns: width of the terminal; the rate is left out where one line has no room for it.
    func closingLine(at time: Double, _ summary: String, columns: Int = .max) -> String {
        let head = "\(name): \(done - before) \(unit) in \(duration(time - started))"
        let end = summary.isEmpty ? [] : [summary]
        let average = pace(since: (started, before), at: time).map(rate)
        let whole = ([head, average].compactMap { $0 } + end).joined(separator: ", ")
        return whole.count < columns ? whole : ([head] + end).joined(separator: ", ")
    }

    private var shown: [String] { (between.map { [$0] } ?? []) + notes }

    /// Steps a second since a mark; nil before the first step.
    private func pace(since mark: (time: Double, done: Int), at time: Double) -> Double? {
        done > mark.done && time > mark.time ? Double(done - mark.done) / (time - mark.time) : nil
    }

    private func secondsLeft(_ pace: Double) -> Double { Double(max(0, total - done)) / pace }

    private func rate(_ pace: Double) -> String {
        pace < 1 ? "\(digits(1 / pace)) s each" : "\(digits(pace)) \(unit)/s"
    }

    private func shortRate(_ pace: Double) -> String {
        pace < 1 ? "\(digits(1 / pace)) s each" : "\(digits(pace))/s"
    }
}

/// A text of at most `length` characters.
private func shortened(_ text: String, to length: Int) -> String {
    text.count <= length ? text : String(text.prefix(max(0, length - 1))) + "…"
}

/// Three significant digits, or all digits before the point.
private func digits(_ value: Double) -> String {
    String(format: value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value)
}

/// Seconds for people: "0.4 s", "51 s", "3 min 20 s", "2 h 05 min".
package func duration(_ seconds: Double) -> String {
    if seconds < 9.95 { return String(format: "%.1f s", seconds) }
    let whole = wholeSeconds(seconds)
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return String(format: "%d min %02d s", whole / 60, whole % 60) }
    return String(format: "%d h %02d min", whole / 3600, whole % 3600 / 60)
}

/// The same in fewer characters: "51s", "3m20s", "2h05m".
private func shortDuration(_ seconds: Double) -> String {
    let whole = wholeSeconds(seconds)
    if whole < 60 { return "\(whole)s" }
    if whole < 3600 { return String(format: "%dm%02ds", whole / 60, whole % 60) }
    return String(format: "%dh%02dm", whole / 3600, whole % 3600 / 60)
}

/// The nearest integer; of what is no time that anybody waits for, a large one.
private func wholeSeconds(_ seconds: Double) -> Int { Int(min(max(seconds, 0), 1e15).rounded()) }
