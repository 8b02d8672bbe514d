package import Failures

/// What a parser accepts before it refuses, so that a hostile file costs little.
package struct JSONLimits: Sendable {
    /// Largest size of one document, in bytes.
    package var maximumBytes: Int
    /// Deepest nesting of arrays and objects.
    package var maximumDepth: Int

    /// States the limits; the defaults are 16 MiB and 64 levels.
    package init(maximumBytes: Int = 16 << 20, maximumDepth: Int = 64) {
        self.maximumBytes = maximumBytes
        self.maximumDepth = maximumDepth
    }
}

extension JSONValue {
    /// Parses one JSON document (RFC 8259 and nothing more: no comments, trailing commas, byte-order mark or `NaN`).
    ///
    /// - Parameters:
    ///   - bytes: the text, UTF-8.
    ///   - location: the file, or `file:line` when the text is one line of a file; named in errors.
    ///   - limits: sizes beyond which the text is refused.
    /// - Throws: `Failure(.badData)` at `location:line:column` (`location:column` for a single line), columns in bytes
    ///   from 1.
    package init(parsing bytes: [UInt8], at location: String, limits: JSONLimits = JSONLimits()) throws(Failure) {
        try self.init(parsing: bytes, range: 0..<bytes.count, at: location, isLine: false, limits: limits)
    }

    /// Parses a line of a JSON Lines text; errors are at `location:column`.
    ///
    /// - Throws: `Failure(.badData)`, as for a document.
    package init(parsingLine bytes: [UInt8], at location: String, limits: JSONLimits = JSONLimits()) throws(Failure) {
        try self.init(parsing: bytes, range: 0..<bytes.count, at: location, isLine: true, limits: limits)
    }

    init(
        parsing bytes: [UInt8],
        range: Range<Int>,
        at location: String,
        isLine: Bool,
        limits: JSONLimits
    ) throws(Failure) {
        guard range.count <= limits.maximumBytes else {
            throw Failure(
                .badData,
                "\(range.count) bytes of JSON, more than the limit of \(limits.maximumBytes)",
                at: location
            )
        }
        var parser = JSONParser(bytes: bytes, range: range, maximumDepth: limits.maximumDepth)
        do {
            self = try parser.document()
        } catch {
            throw Failure(.badData, error.message, at: "\(location):\(position(of: error.offset))")
        }

        func position(of offset: Int) -> String {
            var line = 1
            var lineStart = range.lowerBound
            for i in range.lowerBound..<min(offset, range.upperBound) where bytes[i] == 0x0A {
                line += 1
                lineStart = i + 1
            }
            return isLine ? "\(offset - lineStart + 1)" : "\(line):\(offset - lineStart + 1)"
        }
    }
}
