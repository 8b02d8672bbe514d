package import Collectives
import Failures
import Files
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
