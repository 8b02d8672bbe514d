import Failures
import Foundation
import ModelFiles
import Runs
import StrictJSON
import StrictYAML

/// Names of the shapes that `maxmin init` knows.
package var presetNames: [String] { ModelPreset.names }

/// Writes a randomly initialized model of a named shape, with the tokenizer of another directory where one is given.
///
/// - Returns: what was written, as one JSON object.
/// - Throws: `Failure` 78 for an unknown shape or a directory that is not empty, 73, 74 or 77 where writing fails.
package func initializeModel(
    preset: String,
    directory: String,
    tokenizerFrom: String?,
    seed: UInt64
) throws -> String {
    guard let shape = ModelPreset.named(preset) else {
        let near = nearestName(to: preset, among: presetNames).map { "; did you mean \($0)?" } ?? ""
        throw Failure(
            .usage,
            "no such shape; known are \(presetNames.joined(separator: ", "))\(near)",
            at: preset
        )
    }
    try requireEmpty(directory)
    // Before any weight is drawn: the directory must be writable.
    try createDirectory(directory)
    let count = try ModelDirectory.writeRandom(shape, seed: seed, to: directory, tokenizerFrom: tokenizerFrom)
    let summary: JSONValue = [
        "preset": .string(preset), "directory": .string(directory), "parameters": .integer(count),
        "seed": .string(String(seed)),
    ]
    return summary.encoded()
}

/// Throws `Failure` 78 where a directory that a model is to be written to has something in it; it may be missing.
func requireEmpty(_ directory: String) throws(Failure) {
    let contents = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    guard contents.isEmpty else {
        throw Failure(.configuration, "is not empty; choose another directory", at: directory)
    }
}
