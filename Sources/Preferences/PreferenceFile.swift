package import Failures
import StrictJSON
import Text

/// Reads a preference file: JSON Lines or, where the name ends in `.csv`, CSV with the same names as columns.
///
/// A row has `user_id`, `prompt` (a string or a conversation list), `chosen`, `rejected`, and optionally `group` (used
/// for scoring only) and `chosen_complete`, `rejected_complete` (false where sampling was cut short). Rows of
/// Personalized Soups are read too: `user_input` is the prompt and `completion_a` the chosen response, as in that
/// work's own training code, unless `preference` is `b`. Unknown fields are ignored.
///
/// - Returns: users sorted by the bytes of their id, and what was found in the file.
/// - Throws: `Failure` naming `file:line` of the first bad line, or the file where it is unusable as a whole.
package func loadPreferences(
    _ path: String,
    options: LoadOptions = LoadOptions()
) throws(Failure) -> (users: [User], report: LoadReport) {
    var report = LoadReport(path: path)
    var users: [User] = []
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
        let comparison = try comparison(of: row, options.template, at: location)
        let position = positions[ByteString(id)]
        if let position, let earlier = users[position].group, let group, !earlier.utf8.elementsEqual(group.utf8) {
            let message = "user \"\(id)\" is in group \"\(group)\" here and in \"\(earlier)\" before"
            throw Failure(.badData, message, at: location)
        }
        if comparison.chosen.isEmpty || comparison.rejected.isEmpty {
            report.empty += 1
            return
        }
        if comparison.chosen.utf8.elementsEqual(comparison.rejected.utf8) {
            report.identical += 1
            return
        }
        if !seen.insert(ComparisonKey(id, comparison)).inserted {
            report.duplicates += 1
            if options.duplicates == .drop { return }
        }
        report.kept += 1
        if let position {
            users[position].comparisons.append(comparison)
            if users[position].group == nil { users[position].group = group }
        } else {
            positions[ByteString(id)] = users.count
            users.append(User(id: id, group: group, comparisons: [comparison]))
        }
    }
    users.sort { precedes($0.id, $1.id) }
    return (users, report)
}

/// Whether a scalar is a control character or ends a line.
private func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
    [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
}

private func comparison(of row: JSONObject, _ template: ChatTemplate, at location: String) throws(Failure) -> Comparison
{
    let chosenIsComplete = try row.flag("chosen_complete", default: true, at: location)
    let rejectedIsComplete = try row.flag("rejected_complete", default: true, at: location)
    guard row["prompt"] == nil, row["user_input"] != nil else {
        return Comparison(
            prompt: try row.prompt("prompt", template, at: location),
            chosen: try row.text("chosen", at: location),
            rejected: try row.text("rejected", at: location),
            chosenIsComplete: chosenIsComplete,
            rejectedIsComplete: rejectedIsComplete
        )
    }
    let a = try row.text("completion_a", at: location)
    let b = try row.text("completion_b", at: location)
    let preference = try row.optionalText("preference", at: location) ?? "a"
    guard preference == "a" || preference == "b" else {
        throw Failure(.badData, "field \"preference\" must be \"a\" or \"b\", found \"\(preference)\"", at: location)
    }
    return Comparison(
        prompt: try row.prompt("user_input", template, at: location),
        chosen: preference == "a" ? a : b,
        rejected: preference == "a" ? b : a
    )
}

private struct ComparisonKey: Hashable {
    let prompt: Conversation
    let texts: [ByteString]

    init(_ user: String, _ comparison: Comparison) {
        prompt = comparison.prompt
        texts = [user, comparison.chosen, comparison.rejected].map(ByteString.init)
    }
}

/// The text of a preference file (JSON Lines) that `loadPreferences` reads back as the same users.
package func preferenceLines(of users: [User]) -> String {
    var lines = ""
    for user in users.sorted(by: { precedes($0.id, $1.id) }) {
        for comparison in user.comparisons {
            var row = JSONObject()
            row["user_id"] = .string(user.id)
            row["prompt"] = comparison.prompt.json
            row["chosen"] = .string(comparison.chosen)
            row["rejected"] = .string(comparison.rejected)
            if let group = user.group { row["group"] = .string(group) }
            if !comparison.chosenIsComplete { row["chosen_complete"] = false }
            if !comparison.rejectedIsComplete { row["rejected_complete"] = false }
            lines += JSONValue.object(row).encoded() + "\n"
        }
    }
    return lines
}
