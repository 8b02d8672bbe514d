internal import Failures
internal import Foundation
internal import StrictJSON

/// Calls `body` with each line of a JSON Lines file, as fields and with its place; `-` is standard input.
///
/// - Throws: `Failure` at `file:line` for a line that is no JSON object.
func forEachInputLine(
    of path: String,
    _ body: (_ fields: JSONFields, _ place: String) throws -> Void
) throws {
    let bytes = path == "-" ? readStandardInput() : try readBytes(ofFile: path)
    let file = path == "-" ? "standard input" : path
    try forEachJSONLine(in: bytes, file: file) { line, value in
        let place = "\(file):\(line)"
        try body(JSONFields(value.get(), at: place), place)
    }
}

private func readStandardInput() -> [UInt8] {
    var bytes: [UInt8] = []
    while let more = try? FileHandle.standardInput.read(upToCount: 1 << 20), !more.isEmpty { bytes += more }
    return bytes
}

extension JSONFields {
    /// Token ids of a field.
    func tokenIDs(_ key: String) throws(Failure) -> [Int32] {
        try ints(key, in: 0...Int(Int32.max)).map { Int32($0) }
    }
}
