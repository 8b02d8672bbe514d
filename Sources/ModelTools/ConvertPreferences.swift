import Failures
import Foundation
import ModelFiles
import Preferences
import Runs
package import StrictJSON

/// Writes the comparisons of a preference file in our own form, as JSON Lines, which read back as the same comparisons.
///
/// - Returns: how many there are, as an object, and what was dropped.
/// - Throws: `Failure` 64 where `out` is the input, or is no name of JSON Lines; 65 and 66 where the input cannot be
///   read; 73, 74 or 77 where writing fails.
package func convertPreferences(_ path: String, to out: String, _ request: PreferenceRequest) throws -> (
    summary: JSONValue, warnings: [String]
) {
    guard ["jsonl", "json"].contains(URL(literalPath: out).pathExtension.lowercased()) else {
        throw Failure(.usage, "what is written is JSON Lines; name it .jsonl", at: out)
    }
    guard !isSameFile(path, out) else {
        throw Failure(.usage, "is the input; name another file", at: out)
    }
    let configuration = try request.loadConfiguration()
    let options = try request.options(configuration, encoding: configuration?.encoding()?.encoding)
    var lines: [UInt8] = []
    let report = try forEachPreference(of: path, options) { row, _ in
        lines += JSONValue.object(row.json).encoded().utf8
        lines.append(UInt8(ascii: "\n"))
    }
    try writeAtomically(lines, to: out)
    let summary: JSONValue = [
        "input": .string(path), "output": .string(out), "rows": .integer(report.rows), "kept": .integer(report.kept),
        "warnings": .array(report.warnings.map(JSONValue.string)),
    ]
    return (summary, report.warnings)
}
