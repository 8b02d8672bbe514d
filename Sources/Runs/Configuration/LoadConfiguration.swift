package import Collectives
internal import Failures
internal import Foundation

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
func readConfigurationText(_ path: String) throws -> String {
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else {
        throw Failure(.missingInput, "no such configuration file, or no permission to see it", at: path)
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else {
        throw Failure(.configuration, "is not a file", at: path)
    }
    guard let handle = try? FileHandle(forReadingFrom: url) else {
        throw Failure(.permission, "cannot be read", at: path)
    }
    // One byte more than the reader accepts, so that a huge file is refused without being read.
    let bytes = Array(try handle.read(upToCount: (1 << 20) + 1) ?? Data())
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.configuration, "is not UTF-8 text", at: path)
    }
    return text
}
