package import Failures

/// Reads RFC 4180 records: fields separated by commas, quoted where they hold commas, quotes (doubled) or line breaks.
///
/// Every byte is looked at once, whatever is quoted.
package struct CSVReader {
    /// One record and the line it starts on.
    package struct Record {
        package let number: Int
        package let fields: [String]
    }

    private let lines: LineReader
    private let maximumRecordBytes: Int

    var contentHash: UInt64 { lines.contentHash }

    /// Opens a file.
    ///
    /// - Throws: `Failure` as for any text that is read line by line.
    package init(path: String, maximumRecordBytes: Int = LineReader.maximumLineBytes) throws(Failure) {
        lines = try LineReader(path: path, maximumLineBytes: maximumRecordBytes)
        self.maximumRecordBytes = maximumRecordBytes
    }

    /// The next record, blank lines skipped; a failure to parse one leaves the reader at the line after it.
    package func next() throws(Failure) -> Result<Record, Failure>? {
        var line = try lines.next()
        while let blank = line, blank.isBlank { line = try lines.next() }
        guard let first = line else { return nil }
        let location = "\(lines.path):\(first.number)"
        var record = RecordParser()
        var bytes = first.bytes.count
        var state = record.read(first.bytes)
        // An open quote at the end of a line: the record goes on in the next one.
        while case .openQuote = state, let more = try lines.next() {
            bytes += 1 + more.bytes.count
            guard bytes <= maximumRecordBytes else {
                let message = "record longer than \(maximumRecordBytes >> 20) MiB; is a quotation mark left open?"
                throw Failure(.badData, message, at: location)
            }
            state = record.read(more.bytes)
        }
        switch state {
        case .complete: return .success(Record(number: first.number, fields: record.fields))
        case .openQuote: return .failure(Failure(.badData, "quotation mark without its partner", at: location))
        case .malformed(let reason): return .failure(Failure(.badData, reason, at: location))
        }
    }
}

/// A record as far as its lines have been read.
private struct RecordParser {
    enum State {
        case complete
        /// Within quotation marks at the end of a line.
        case openQuote
        case malformed(String)
    }

    private(set) var fields: [String] = []
    private var field: [UInt8] = []
    private var isQuoted = false

    /// Takes the record's next line, without its line feed.
    mutating func read(_ bytes: [UInt8]) -> State {
        let quote = UInt8(ascii: "\"")
        let comma = UInt8(ascii: ",")
        let end = bytes.last == 0x0D ? bytes.count - 1 : bytes.count
        var at = 0
        if isQuoted { field.append(0x0A) }
        while true {
            if !isQuoted, at < end, bytes[at] == quote {
                isQuoted = true
                at += 1
            }
            if isQuoted {
                while true {
                    guard at < bytes.count else { return .openQuote }
                    if bytes[at] == quote {
                        at += 1
                        guard at < end, bytes[at] == quote else { break }
                    }
                    field.append(bytes[at])
                    at += 1
                }
                isQuoted = false
                guard at >= end || bytes[at] == comma else { return .malformed("text after a quoted field") }
            } else {
                while at < end, bytes[at] != comma {
                    guard bytes[at] != quote else { return .malformed("quotation mark inside an unquoted field") }
                    field.append(bytes[at])
                    at += 1
                }
            }
            if let reason = finishField() { return .malformed(reason) }
            guard at < end else { return .complete }
            at += 1
        }
    }

    /// Adds what was read to the fields; gives why it is no text.
    private mutating func finishField() -> String? {
        defer { field.removeAll() }
        if field.contains(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) {
            return "control byte in a field"
        }
        guard let text = String(validating: field, as: UTF8.self) else { return "invalid UTF-8 in a field" }
        fields.append(text)
        return nil
    }
}
