import Failures
import Foundation
import ModelFiles
import Runs
import StrictJSON

/// Writes the full model that an adapter makes of its base, with a model card.
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
    try writeAtomically(mergedCard(of: directory, adapter, base: base), to: "\(directory)/README.md")
    let summary: JSONValue = [
        "adapter": .string(adapter), "base": .string(base), "directory": .string(directory),
        "parameters": .integer(count),
    ]
    return summary.encoded()
}

/// What `README.md` of a merged model says: what it is made of, what the adapter's own card says, and how to load it.
private func mergedCard(of directory: String, _ adapter: String, base: String) throws(Failure) -> String {
    let isReward = try ModelDirectory.isRewardModel(directory)
    let card = "\(adapter)/README.md"
    let own =
        FileManager.default.fileExists(atPath: card)
        ? String(decoding: try readBytes(ofFile: card, limit: 1 << 20), as: UTF8.self) : ""
    // Behind its metadata, before the lines that load an adapter.
    let told = own.split(separator: "\n", omittingEmptySubsequences: false)
        .drop { !$0.hasPrefix("# ") }
        .prefix { $0 != "## How to load it" }
        .map { $0.hasPrefix("#") ? "#" + $0 : String($0) }
        .joined(separator: "\n")
    return """
        \(cardHead(library: "transformers", isReward: isReward))

        # A merged model

        The model `\(base)` with the adapter `\(adapter)` merged into its weights, by `maxmin merge`.

        \(told.isEmpty ? "" : told + "\n")## How to load it

        In this folder:

        \(howToLoad(".", isReward: isReward))

        """
}
