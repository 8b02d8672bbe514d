package import Failures
import Files

/// The text of a file that holds YAML, at most 1 MiB.
///
/// - Throws: `Failure` where it is no readable file of UTF-8 text.
package func readYAMLText(_ path: String) throws(Failure) -> String {
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
