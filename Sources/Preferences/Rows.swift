package import Failures
import StrictJSON

/// Calls `body` with each row of a JSON Lines or (by its ending) CSV file, as an object, and with the row's
/// `file:line`.
///
/// Either may be compressed by gzip. A CSV row becomes an object of strings; an empty cell becomes null. Failures of
/// `body` make a bad line.
func forEachRow(
    of path: String,
    _ options: LoadOptions,
    _ report: inout LoadReport,
    _ body: (JSONObject, String, inout LoadReport) throws(Failure) -> Void
) throws(Failure) {
    if isCSV(path) {
        try forEachRecord(of: path, options, &report, body)
    } else {
        try forEachLine(of: path, options, &report, body)
    }
    try report.check(options)
}

/// The names of the fields of a file's first row; none where it has no row.
///
/// - Throws: `Failure` where the file is none that is read, or the row is no object.
package func firstFields(of path: String) throws(Failure) -> [String] {
    if isCSV(path) { return try CSVReader(path: path).next()?.get().fields ?? [] }
    let lines = try LineReader(path: path)
    while let line = try lines.next() {
        if line.isBlank { continue }
        try refuseArray(line, in: path)
        return try object(line, in: path).keys
    }
    return []
}

/// Refuses a file whose first line with anything on it begins an array.
private func refuseArray(_ line: Line, in path: String) throws(Failure) {
    if line.bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") {
        throw Failure(.badData, arrayRemedy(path), at: path)
    }
}

/// The object of a line.
private func object(_ line: Line, in path: String) throws(Failure) -> JSONObject {
    let location = "\(path):\(line.number)"
    let value = try JSONValue(parsingLine: line.bytes, at: location)
    guard let object = value.object else {
        throw Failure(.badData, "expected an object, found \(value.kind)", at: location)
    }
    return object
}

/// Whether a file is CSV by its name, `.csv` or `.csv.gz`.
package func isCSV(_ path: String) -> Bool {
    let name = path.lowercased()
    return (name.hasSuffix(".gz") ? String(name.dropLast(3)) : name).hasSuffix(".csv")
}

private func forEachLine(
    of path: String,
    _ options: LoadOptions,
    _ report: inout LoadReport,
    _ body: (JSONObject, String, inout LoadReport) throws(Failure) -> Void
) throws(Failure) {
    let lines = try LineReader(path: path, maximumLineBytes: options.maximumLineBytes)
    while let line = try lines.next() {
        if line.isBlank { continue }
        if report.rows == 0 { try refuseArray(line, in: path) }
        report.rows += 1
        do throws(Failure) {
            try body(try object(line, in: path), "\(path):\(line.number)", &report)
        } catch {
            try report.badLine(error, options.onBadLine)
        }
    }
    report.contentHash = lines.contentHash
}

private func forEachRecord(
    of path: String,
    _ options: LoadOptions,
    _ report: inout LoadReport,
    _ body: (JSONObject, String, inout LoadReport) throws(Failure) -> Void
) throws(Failure) {
    let records = try CSVReader(path: path, maximumRecordBytes: options.maximumLineBytes)
    guard let header = try records.next()?.get() else { return }
    var names: Set<ByteString> = []
    for name in header.fields where !names.insert(ByteString(name)).inserted {
        throw Failure(.badData, "column \"\(name)\" occurs twice", at: "\(path):\(header.number)")
    }
    while let result = try records.next() {
        report.rows += 1
        do throws(Failure) {
            let record = try result.get()
            let location = "\(path):\(record.number)"
            guard record.fields.count == header.fields.count else {
                let message = "\(record.fields.count) fields, but the header has \(header.fields.count)"
                throw Failure(.badData, message, at: location)
            }
            var object = JSONObject()
            for (name, field) in zip(header.fields, record.fields) {
                object[name] = field.isEmpty ? .null : .string(field)
            }
            try body(object, location, &report)
        } catch {
            try report.badLine(error, options.onBadLine)
        }
    }
    report.contentHash = records.contentHash
}
