import Failures
import Foundation

/// How progress is shown.
package enum ProgressStyle: Sendable {
    /// One line that is drawn over and over, on a terminal.
    case bar
    /// A line now and then, in a log.
    case lines
    /// Nothing: every rank but the root.
    case silent
}

/// Shows how far a task has come, how fast it goes, and how long it will still take.
///
/// A run has one meter, and at most one task at a time: `begin`, `advance` …, `end`. A bar is drawn at most ten times a
/// second. Lines come every ten seconds at first and more rarely later, so that a log of days stays readable; a task
/// that is over sooner gets its closing line only. (Not named `Progress`, which Foundation has.)
package final class ProgressMeter {
    private let style: ProgressStyle
    private let write: (String) -> Void
    private let now: () -> Double
    private let columns: () -> Int
    private var task: ProgressTask?
    private var shown = 0.0
    private var barIsDrawn = false

    /// Shows progress through closures.
    ///
    /// - Parameters:
    ///   - style: how to show it.
    ///   - columns: width of the terminal, for bars.
    ///   - now: seconds since any moment, never running backwards.
    ///   - write: takes text as it is, control characters of bars included.
    package init(
        style: ProgressStyle,
        columns: @escaping () -> Int,
        now: @escaping () -> Double,
        write: @escaping (String) -> Void
    ) {
        self.style = style
        self.columns = columns
        self.now = now
        self.write = write
    }

    /// A meter on standard error: a bar where that is a terminal, else lines; silent on every rank but the root.
    package static func onStandardError(rank: Int) -> ProgressMeter {
        let style: ProgressStyle = rank != 0 ? .silent : standardErrorIsTerminal ? .bar : .lines
        return ProgressMeter(
            style: style,
            columns: { terminalColumns },
            now: { ProcessInfo.processInfo.systemUptime },
            write: { text in
                // A closed or full log is no reason to stop a run.
                try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
            }
        )
    }

    /// A meter that shows nothing.
    package static var silent: ProgressMeter {
        ProgressMeter(style: .silent, columns: { 0 }, now: { 0 }, write: { _ in })
    }

    /// Prints a line of its own, or several, above the bar where there is one; on a terminal words stay whole.
    package func say(_ line: String) {
        guard style != .silent else { return }
        clearBar()
        let shown = printable(line, keepsLines: true, limit: .max)
        write((style == .bar ? wrapped(shown, columns: columns()) : shown) + "\n")
    }

    /// Starts a task of `total` steps, named as in "policy maxmin"; `unit` is the plural of what is counted, and `done`
    /// of them an earlier process did.
    ///
    /// A task that was not ended is forgotten.
    package func begin(_ name: String, total: Int, unit: String = "steps", done: Int = 0) {
        clearBar()
        task = ProgressTask(name: name, total: total, unit: unit, started: now(), done: done)
        shown = style == .bar ? -Double.infinity : now()
        show()
    }

    /// Counts steps of the current task as done; `notes` are shown behind, as in "loss 0.61", the most important first:
    /// a bar has room for two.
    package func advance(by steps: Int = 1, notes: [String] = []) {
        task?.advance(by: steps, at: now())
        task?.notes = notes
        // What was done between two steps is over: a bar that went on saying so would stand until the next sign.
        let isOver = task?.between != nil
        task?.between = nil
        show(atOnce: isOver)
    }

    /// Shows what the current task does between two steps, as in "E-step 3/8", until it advances.
    package func note(_ between: String) {
        task?.between = between
        show()
    }

    /// Ends the current task and prints its closing line: how many steps in what time, and `summary`.
    package func end(_ summary: String = "") {
        guard let task else { return }
        self.task = nil
        say(task.closingLine(at: now(), summary, columns: style == .bar ? columns() : .max))
    }

    private func show(atOnce: Bool = false) {
        guard let task else { return }
        let time = now()
        switch style {
        case .silent: break
        case .bar:
            guard atOnce || time - shown >= 0.1 else { return }
            write("\r\u{1B}[K" + task.bar(at: time, columns: columns()))
            barIsDrawn = true
            shown = time
        case .lines:
            guard time - shown >= min(max(10, (time - task.started) / 20), 300) else { return }
            write(task.line(at: time) + "\n")
            shown = time
        }
    }

    private func clearBar() {
        if barIsDrawn { write("\r\u{1B}[K") }
        barIsDrawn = false
    }
}
