package import Collectives
import Failures
import Files
import Foundation
import StrictYAML

/// Reads a run's configuration on the root and gives every rank the same one.
///
/// - Throws: `ConfigurationError` with every problem (on the root; the others wait for the end that it brings), or
///   `Failure` where the file cannot be read.
package func loadConfiguration(
    _ path: String,
    overrides: [String],
    communicator: any Communicator
) throws -> Configuration {
    var effective: [UInt8] = []
    if communicator.rank == 0 {
        let text = try readYAMLText(path)
        effective = Array(try Configuration(yaml: text, file: path, overrides: overrides).effectiveYAML.utf8)
    }
    let shared = String(decoding: try communicator.broadcast(effective), as: UTF8.self)
    let configuration = try Configuration(yaml: shared, file: path)
    guard communicator.size <= configuration.shards else {
        let reason = "shards: \(configuration.shards) shards cannot be dealt to \(communicator.size) ranks; "
        throw ConfigurationError(problems: [
            .init(location: path, message: reason + "raise shards or start fewer ranks")
        ])
    }
    return configuration
}

extension RunDirectory {
    /// The configuration that the run was last started with, by `config.yaml`.
    ///
    /// - Throws: `Failure` 66 where there is none, or what reading one throws.
    func configuration() throws -> Configuration {
        let file = file("config.yaml")
        guard FileManager.default.fileExists(atPath: file) else {
            throw Failure(.missingInput, "is no run directory: it has no config.yaml", at: path)
        }
        return try Configuration(yaml: readYAMLText(file), file: file)
    }
}
