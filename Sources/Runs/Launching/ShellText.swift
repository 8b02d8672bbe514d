/// A word as a POSIX shell reads it back: as it is where every character is harmless, in single quotes otherwise.
func shellQuoted(_ word: String) -> String {
    let isHarmless = word.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "@%_+=:,./-".utf8.contains(byte)
    }
    if isHarmless, !word.isEmpty { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

/// A command whose words are given line by line: one command to a shell, a line each to a reader.
func shellCommand(_ lines: [[String]], indentation: String = "    ") -> String {
    lines.map { $0.map(shellQuoted).joined(separator: " ") }.joined(separator: " \\\n" + indentation)
}
