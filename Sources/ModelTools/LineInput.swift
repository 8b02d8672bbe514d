import Failures
import Preferences
import Runs
import StrictJSON

/// Calls `body` with each line of a JSON Lines file, as fields and with its place; `-` is standard input.
///
/// - Throws: `Failure` at `file:line` for a line that is no JSON object, or is longer than any line may be.
func forEachInputLine(
    of path: String,
    _ body: (_ fields: JSONFields, _ location: String) throws -> Void
) throws {
    let lines = try LineReader(path: path == "-" ? nil : path)
    while let line = try lines.next() {
        if line.isBlank { continue }
        let location = "\(lines.path):\(line.number)"
        try body(JSONFields(JSONValue(parsingLine: line.bytes, at: location), at: location), location)
    }
}

extension JSONFields {
    /// Token ids of a field.
    func tokenIDs(_ key: String) throws(Failure) -> [Int32] {
        try ints(key, in: 0...Int(Int32.max)).map { Int32($0) }
    }
}
