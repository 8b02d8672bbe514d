import Foundation

/// Whether standard error is a terminal that can redraw a line.
var standardErrorIsTerminal: Bool {
    isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
}

/// The width of the terminal that standard error is; 80 where it does not say.
var terminalColumns: Int {
    var size = winsize()
    let known = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0
    return known && size.ws_col > 0 ? Int(size.ws_col) : 80
}

/// Lines broken between words to less than so many columns.
///
/// A line that begins with a space or has two in a row is a command or part of a table, and stays as it is.
func wrapped(_ text: String, columns: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        guard line.count >= columns, !line.hasPrefix(" "), !line.contains("  ") else { return String(line) }
        var lines: [String] = []
        var current = ""
        for word in line.split(separator: " ") {
            if !current.isEmpty, current.count + 1 + word.count >= columns {
                lines.append(current)
                current = ""
            }
            current += (current.isEmpty ? "" : " ") + word
        }
        return (lines + [current]).joined(separator: "\n")
    }.joined(separator: "\n")
}
