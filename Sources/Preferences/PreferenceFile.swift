package import Failures
import StrictJSON
import Text

/// Reads a preference file: JSON Lines or, where the name ends in `.csv`, CSV with the same names as columns, plain or
/// gzip.
///
/// Rows are of our own form (see `PreferenceRow`), or of a foreign one that `options.mapping` describes. Unknown fields
/// are ignored.
///
/// - Returns: users sorted by the bytes of their id, and what was found in the file.
/// - Throws: `Failure` naming `file:line` of the first bad line, or the file where it is unusable as a whole.
package func loadPreferences(
    _ path: String,
    options: LoadOptions = LoadOptions()
) throws(Failure) -> (users: [User<Comparison>], report: LoadReport) {
    var users: [User<Comparison>] = []
    var positions: [ByteString: Int] = [:]
    let report = try forEachPreference(of: path, options) { row, _ in
        if let position = positions[ByteString(row.userID)] {
            users[position].comparisons += row.comparisons
            if users[position].group == nil { users[position].group = row.group }
        } else {
            positions[ByteString(row.userID)] = users.count
            users.append(User(id: row.userID, group: row.group, comparisons: row.comparisons))
        }
    }
    users.sort { precedes($0.id, $1.id) }
    return (users, report)
}

/// Calls `body` with each comparison of a preference file that is kept, in the order of the file, and with its
/// `file:line`.
///
/// - Returns: what was found in the file.
/// - Throws: `Failure` as `loadPreferences` does, and what `body` throws.
package func forEachPreference(
    of path: String,
    _ options: LoadOptions,
    _ body: (PreferenceRow, String) throws(Failure) -> Void
) throws(Failure) -> LoadReport {
    var report = LoadReport(path: path)
    var groups: [ByteString: String] = [:]
    var seen: Set<ComparisonKey> = []
    try forEachRow(of: path, options, &report) { (object, location, report) throws(Failure) in
        if report.fields.isEmpty { report.fields = object.keys }
        let mapped = try options.mapping?.rows(of: object, at: location) ?? MappedRows(rows: [object])
        // A line with a bad comparison is left out whole.
        var rows: [PreferenceRow] = []
        do throws(Failure) {
            for row in mapped.rows { rows.append(try PreferenceRow(row, options.template, at: location)) }
        } catch {
            guard options.mapping == nil, let preset = DataPreset.recognizing(object.keys) else { throw error }
            let hint = "; these are rows of \(preset.dataset): use data.preset: \(preset.rawValue) (--preset)"
            throw Failure(error.code, error.message + hint, at: error.location)
        }
        for row in rows {
            guard let group = row.group else { continue }
            let earlier = groups.updateValue(group, forKey: ByteString(row.userID)) ?? group
            guard earlier.utf8.elementsEqual(group.utf8) else {
                groups[ByteString(row.userID)] = earlier
                let message = "user \"\(row.userID)\" is in group \"\(group)\" here and in \"\(earlier)\" before"
                throw Failure(.badData, message, at: location)
            }
        }
        report.drop(\.unanswered, mapped.unanswered, "nobody answered it", location)
        for row in rows where try isKept(row, options, &seen, location, &report) { try body(row, location) }
    }
    return report
}

/// Whether a comparison is kept, and counts it.
private func isKept(
    _ row: PreferenceRow,
    _ options: LoadOptions,
    _ seen: inout Set<ComparisonKey>,
    _ location: String,
    _ report: inout LoadReport
) throws(Failure) -> Bool {
    let comparisons = row.comparisons
    let texts = comparisons[0].responses.map { ByteString($0.text) }
    if row.responses.contains(where: \.text.isEmpty) {
        report.drop(\.empty, 1, "a response is empty", location)
        return false
    }
    if Set(texts).count < texts.count {
        report.drop(\.identical, 1, "two responses are the same", location)
        return false
    }
    let key = ComparisonKey(user: ByteString(row.userID), prompt: row.prompt, responses: texts)
    if !seen.insert(key).inserted {
        report.duplicates += 1
        if options.duplicates == .drop {
            report.note("it repeats an earlier comparison of the user", location)
            return false
        }
    }
    report.count(row.answer, ties: comparisons.count > 1)
    return true
}

private struct ComparisonKey: Hashable {
    let user: ByteString
    let prompt: Conversation
    let responses: [ByteString]
}

/// The text of a preference file (JSON Lines) that `loadPreferences` reads back as the same users, where none of their
/// comparisons is an order of a tie.
package func preferenceLines(of users: [User<Comparison>]) -> String {
    var lines = ""
    for user in users.sorted(by: { precedes($0.id, $1.id) }) {
        for comparison in user.comparisons {
            let row = PreferenceRow(
                userID: user.id,
                group: user.group,
                prompt: comparison.prompt,
                responses: comparison.responses,
                answer: comparison.responses.count == 2 ? .pair : .ranking(Array(0..<comparison.ranked))
            )
            lines += JSONValue.object(row.json).encoded() + "\n"
        }
    }
    return lines
}
