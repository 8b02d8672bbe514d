import Failures

/// A command whose words are given line by line: one command to a shell, a line each to a reader.
func shellCommand(_ lines: [[String]], indentation: String = "    ") -> String {
    lines.map { $0.map(shellQuoted).joined(separator: " ") }.joined(separator: " \\\n" + indentation)
}
