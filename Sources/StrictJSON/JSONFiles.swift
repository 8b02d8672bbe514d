public import Failures
import Foundation

/// Reads a regular file of at most `limit` bytes.
///
/// Refused before anything is read: what is missing (`missingInput`), no regular file or too large (`badData`), and files
/// that may not be read (`permission`).
public func readBytes(ofFile path: String, limit: Int = 1 << 30) throws(Failure) -> [UInt8] {
    let manager = FileManager.default
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let attributes = try? manager.attributesOfItem(atPath: resolved) else {
        throw Failure(.missingInput, "no such file", at: path)
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int else {
        throw Failure(.badData, "not a regular file", at: path)
    }
    guard size <= limit else {
        throw Failure(.badData, "\(size) bytes, more than the limit of \(limit)", at: path)
    }
    guard manager.isReadableFile(atPath: resolved) else {
        throw Failure(.permission, "no permission to read", at: path)
    }
    do {
        return try [UInt8](Data(contentsOf: URL(fileURLWithPath: resolved)))
    } catch {
        throw Failure(.inputOutput, "cannot be read: \(error.localizedDescription)", at: path)
    }
}

extension JSONValue {
    /// Reads a file that is one JSON document.
    public init(contentsOfFile path: String, limits: JSONLimits = JSONLimits()) throws(Failure) {
        try self.init(parsing: readBytes(ofFile: path, limit: limits.maximumBytes), at: path, limits: limits)
    }
}

/// Calls `body` with every line of a JSON Lines text that is not blank: its number from 1, and its value or what is wrong
/// with it at `file:line:column`.
///
/// A byte-order mark before the first line, CRLF and a missing final newline are accepted; a line longer than
/// `limits.maximumBytes` is bad.
public func forEachJSONLine(
    in bytes: [UInt8],
    file: String,
    limits: JSONLimits = JSONLimits(),
    _ body: (_ line: Int, _ value: Result<JSONValue, Failure>) throws -> Void
) throws {
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 0
    while start < bytes.count {
        var end = start
        var isBlank = true
        while end < bytes.count, bytes[end] != 0x0A {
            if bytes[end] != 0x20, bytes[end] != 0x0D, bytes[end] != 0x09 { isBlank = false }
            end += 1
        }
        line += 1
        if !isBlank {
            let place = "\(file):\(line)"
            let value: Result<JSONValue, Failure>
            do throws(Failure) {
                value = .success(
                    try JSONValue(parsing: bytes, range: start..<end, at: place, isLine: true, limits: limits)
                )
            } catch {
                value = .failure(error)
            }
            try body(line, value)
        }
        start = end + 1
    }
}
