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
    // Read before anything is written.
    let told = try adaptersOwnCard(adapter)
    let count = try ModelDirectory.writeMerged(
        adapter: adapter,
        base: base,
        to: directory,
        followSymlinks: followSymlinks
    )
    let card = mergedCard(adapter, base: base, told: told, isReward: try ModelDirectory.isRewardModel(directory))
    try writeAtomically(card, to: "\(directory)/README.md")
    let summary: JSONValue = [
        "adapter": .string(adapter), "base": .string(base), "directory": .string(directory),
        "parameters": .integer(count),
    ]
    return summary.encoded()
}

/// What an adapter's card says behind its metadata and before how to load it; empty without a card.
private func adaptersOwnCard(_ adapter: String) throws(Failure) -> String {
    let path = "\(adapter)/README.md"
    guard FileManager.default.fileExists(atPath: path) else { return "" }
    return String(decoding: try readBytes(ofFile: path, limit: 1 << 20), as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false)
        .drop { !$0.hasPrefix("# ") }
        .prefix { $0 != "## How to load it" }
        .joined(separator: "\n")
}

/// What `README.md` of a merged model says: what it is made of, how to load it, and what the adapter's own card says.
private func mergedCard(_ adapter: String, base: String, told: String, isReward: Bool) -> String {
    """
    \(cardHead(library: "transformers", isReward: isReward))

    # A merged model

    The model `\(base)` with the adapter `\(adapter)` merged into its weights, by `maxmin merge`.

    ## How to load it

    In this folder:

    \(howToLoad(".", isReward: isReward))
    \(told.isEmpty ? "" : "\nThe card of the adapter says of it:\n\n\(told)")
    """
}
