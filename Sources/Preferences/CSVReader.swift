import Failures

/// Reads RFC 4180 records: fields separated by commas, quoted where they hold commas, quotes (doubled) or line breaks.
struct CSVReader {
    /// One record and the line it starts on.
    struct Record {
        let number: Int
        let fields: [String]
    }

    private let lines: LineReader
    private let maximumRecordBytes: Int

    var contentHash: UInt64 { lines.contentHash }

    init(path: String, maximumRecordBytes: Int) throws(Failure) {
        lines = try LineReader(path: path, maximumLineBytes: maximumRecordBytes)
        self.maximumRecordBytes = maximumRecordBytes
    }

    /// The next record, blank lines skipped; a failure to parse one leaves the reader at the line after it.
    func next() throws(Failure) -> Result<Record, Failure>? {
        var line = try lines.next()
        while let blank = line, blank.isBlank { line = try lines.next() }
        guard let first = line else { return nil }
        var bytes = first.bytes
        var parsed = parseRecord(bytes)
        // An open quote at the end of a line: the record goes on in the next one.
        while case .openQuote = parsed, let more = try lines.next() {
            guard bytes.count + more.bytes.count < maximumRecordBytes else {
                let message = "record longer than \(maximumRecordBytes >> 20) MiB; is a quotation mark left open?"
                throw Failure(.badData, message, at: "\(lines.path):\(first.number)")
            }
            bytes.append(0x0A)
            bytes.append(contentsOf: more.bytes)
            // Only a line with a quotation mark can close the field; the test keeps long fields linear.
            if more.bytes.contains(UInt8(ascii: "\"")) { parsed = parseRecord(bytes) }
        }
        switch parsed {
        case .fields(let fields): return .success(Record(number: first.number, fields: fields))
        case .openQuote: return .failure(failure("quotation mark without its partner", first))
        case .malformed(let reason): return .failure(failure(reason, first))
        }
    }

    private func failure(_ reason: String, _ line: Line) -> Failure {
        Failure(.badData, reason, at: "\(lines.path):\(line.number)")
    }
}

private enum ParsedRecord {
    case fields([String])
    case openQuote
    case malformed(String)
}

private func parseRecord(_ bytes: [UInt8]) -> ParsedRecord {
    let quote = UInt8(ascii: "\"")
    let comma = UInt8(ascii: ",")
    let end = bytes.last == 0x0D ? bytes.count - 1 : bytes.count
    var fields: [String] = []
    var at = 0
    while true {
        var field: [UInt8] = []
        if at < end, bytes[at] == quote {
            at += 1
            while true {
                guard at < bytes.count else { return .openQuote }
                if bytes[at] == quote {
                    at += 1
                    guard at < end, bytes[at] == quote else { break }
                }
                field.append(bytes[at])
                at += 1
            }
            guard at >= end || bytes[at] == comma else { return .malformed("text after a quoted field") }
        } else {
            while at < end, bytes[at] != comma {
                guard bytes[at] != quote else { return .malformed("quotation mark inside an unquoted field") }
                field.append(bytes[at])
                at += 1
            }
        }
        if field.contains(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) {
            return .malformed("control byte in a field")
        }
        guard let text = String(validating: field, as: UTF8.self) else { return .malformed("invalid UTF-8 in a field") }
        fields.append(text)
        guard at < end else { return .fields(fields) }
        at += 1
    }
}
