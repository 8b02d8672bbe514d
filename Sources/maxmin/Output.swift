import Failures
import Foundation

/// Tells people a line, or several, on standard error; a closed one is no reason to stop.
func say(_ line: String) {
    let shown = printable(line, keepsLines: true, limit: .max)
    try? FileHandle.standardError.write(contentsOf: Data("\(shown)\n".utf8))
}

/// Machine-readable lines on standard output, written in large pieces.
struct LineOutput: ~Copyable {
    private var pending: [UInt8] = []

    /// Adds a line.
    mutating func line(_ text: String) throws(Failure) {
        pending += text.utf8
        pending.append(UInt8(ascii: "\n"))
        if pending.count > 1 << 16 { try flush() }
    }

    /// Writes what is pending; call last.
    mutating func flush() throws(Failure) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(pending))
        } catch {
            throw Failure(.inputOutput, "standard output cannot be written")
        }
        pending = []
    }
}
