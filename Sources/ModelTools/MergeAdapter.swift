import Failures
import Foundation
import ModelFiles
import Runs
import StrictJSON

/// Writes the full model that an adapter makes of its base.
///
/// - Returns: what was written, as one JSON object.
/// - Throws: `Failure` 78 for an adapter that does not suit the base or a directory that is not empty, 65 and 66 for
///   files that are malformed or missing, 73, 74 or 77 where writing fails.
package func mergeAdapter(
    _ adapter: String,
    base: String,
    directory: String,
    followSymlinks: Bool = false
) throws -> String {
    guard AdapterDirectory.isAdapter(adapter) else {
        throw Failure(.missingInput, "has no adapter_config.json, so it is no adapter", at: adapter)
    }
    try requireEmpty(directory)
    let count = try ModelDirectory.writeMerged(
        adapter: adapter,
        base: base,
        to: directory,
        followSymlinks: followSymlinks
    )
    let summary: JSONValue = [
        "adapter": .string(adapter), "base": .string(base), "directory": .string(directory),
        "parameters": .integer(count),
    ]
    return summary.encoded()
}
