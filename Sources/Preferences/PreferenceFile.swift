package import Failures
import StrictJSON
import Text

/// Reads a preference file: JSON Lines or, where the name ends in `.csv`, CSV with the same names as columns.
///
/// A row has `user_id`, `prompt` (a string or a conversation list), optionally `group` (used for scoring only), and
/// what the user said of responses (see `comparisons(of:_:at:)`). Unknown fields are ignored.
///
/// - Returns: users sorted by the bytes of their id, and what was found in the file.
/// - Throws: `Failure` naming `file:line` of the first bad line, or the file where it is unusable as a whole.
package func loadPreferences(
    _ path: String,
    options: LoadOptions = LoadOptions()
) throws(Failure) -> (users: [User<Comparison>], report: LoadReport) {
    var report = LoadReport(path: path)
    var users: [User<Comparison>] = []
    var positions: [ByteString: Int] = [:]
    var seen: Set<ComparisonKey> = []
    try forEachRow(of: path, options, &report) { (row, location, report) throws(Failure) in
        let id = try row.text("user_id", at: location)
        guard !id.isEmpty else { throw Failure(.badData, "field \"user_id\" is empty", at: location) }
        let group = try row.optionalText("group", at: location)
        // Ids and groups go into tables, where a line break would forge a row for whoever reads lines.
        for (key, name) in [("user_id", id), ("group", group ?? "")]
        where name.unicodeScalars.contains(where: breaksLines) {
            throw Failure(.badData, "field \"\(key)\" holds a control character; take it out", at: location)
        }
        let comparisons = try comparisons(of: row, options.template, at: location)
        let position = positions[ByteString(id)]
        if let position, let earlier = users[position].group, let group, !earlier.utf8.elementsEqual(group.utf8) {
            let message = "user \"\(id)\" is in group \"\(group)\" here and in \"\(earlier)\" before"
            throw Failure(.badData, message, at: location)
        }
        let texts = comparisons[0].responses.map { ByteString($0.text) }
        if comparisons[0].responses.contains(where: \.text.isEmpty) {
            report.empty += 1
            return
        }
        if Set(texts).count < texts.count {
            report.identical += 1
            return
        }
        let key = ComparisonKey(user: ByteString(id), prompt: comparisons[0].prompt, responses: texts)
        if !seen.insert(key).inserted {
            report.duplicates += 1
            if options.duplicates == .drop { return }
        }
        report.kept += 1
        if let position {
            users[position].comparisons += comparisons
            if users[position].group == nil { users[position].group = group }
        } else {
            positions[ByteString(id)] = users.count
            users.append(User(id: id, group: group, comparisons: comparisons))
        }
    }
    users.sort { precedes($0.id, $1.id) }
    return (users, report)
}

/// Whether a scalar is a control character or ends a line.
private func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
    [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
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
            var row = JSONObject()
            row["user_id"] = .string(user.id)
            row["prompt"] = comparison.prompt.json
            if let group = user.group { row["group"] = .string(group) }
            let responses = comparison.responses
            if responses.count == 2 {
                row["chosen"] = .string(responses[0].text)
                row["rejected"] = .string(responses[1].text)
                if !responses[0].isComplete { row["chosen_complete"] = false }
                if !responses[1].isComplete { row["rejected_complete"] = false }
            } else {
                row["responses"] = .array(responses.map { .string($0.text) })
                row["ranking"] = .array((0..<comparison.ranked).map(JSONValue.integer))
                if !responses.allSatisfy(\.isComplete) {
                    row["responses_complete"] = .array(responses.map { .bool($0.isComplete) })
                }
            }
            lines += JSONValue.object(row).encoded() + "\n"
        }
    }
    return lines
}
