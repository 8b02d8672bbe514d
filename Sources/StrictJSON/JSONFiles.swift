package import Failures
import Files

/// Reads a regular file of at most `limit` bytes.
///
/// - Throws: `Failure` where it is missing (`missingInput`), no regular file or too large (`badData`), may not be read
///   (`permission`), or cannot be (`inputOutput`).
package func readBytes(ofFile path: String, limit: Int = 1 << 30) throws(Failure) -> [UInt8] {
    try RegularFile(path: path).contents(limit: limit)
}

extension JSONValue {
    /// Reads a file that is one JSON document.
    package init(contentsOfFile path: String, limits: JSONLimits = JSONLimits()) throws(Failure) {
        try self.init(parsing: readBytes(ofFile: path, limit: limits.maximumBytes), at: path, limits: limits)
    }
}

/// Calls `body` with every line of a JSON Lines text that is not blank: its number from 1, and its value or what is
/// wrong with it at `file:line:column`.
///
/// A byte-order mark before the first line, CRLF and a missing final newline are accepted; a line longer than
/// `limits.maximumBytes` is bad.
package func forEachJSONLine(
    in bytes: [UInt8],
    file: String,
    limits: JSONLimits = JSONLimits(),
    _ body: (_ line: Int, _ value: Result<JSONValue, Failure>) throws -> Void
) throws {
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 0
    while start < bytes.count {
        var end = start
        var isBlank = true
        while end < bytes.count, bytes[end] != 0x0A {
            if bytes[end] != 0x20, bytes[end] != 0x0D, bytes[end] != 0x09 { isBlank = false }
            end += 1
        }
        line += 1
        if !isBlank {
            let location = "\(file):\(line)"
            let value: Result<JSONValue, Failure>
            do throws(Failure) {
                value = .success(
                    try JSONValue(parsing: bytes, range: start..<end, at: location, isLine: true, limits: limits)
                )
            } catch {
                value = .failure(error)
            }
            try body(line, value)
        }
        start = end + 1
    }
}
