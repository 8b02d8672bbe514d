package import Collectives
internal import Failures
internal import Files

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
        let text = try readConfigurationText(path)
        effective = Array(try Configuration(yaml: text, file: path, overrides: overrides).effectiveYAML.utf8)
    }
    let shared = String(decoding: try communicator.broadcast(effective), as: UTF8.self)
    let configuration = try Configuration(yaml: shared, file: path)
    guard communicator.size <= configuration.shards else {
        let reason = "shards: \(configuration.shards) shards cannot be dealt to \(communicator.size) ranks; "
        throw ConfigurationError(problems: [.init(place: path, message: reason + "raise shards or start fewer ranks")])
    }
    return configuration
}

/// The text of a configuration file.
///
/// - Throws: `Failure` where it is no readable file of UTF-8 text.
func readConfigurationText(_ path: String) throws(Failure) -> String {
    let bytes: [UInt8]
    do throws(Failure) {
        bytes = try RegularFile(path: path).contents(limit: 1 << 20)
    } catch {
        throw error.code == .badData ? Failure(.configuration, error.message, at: path) : error
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.configuration, "is not UTF-8 text", at: path)
    }
    return text
}
