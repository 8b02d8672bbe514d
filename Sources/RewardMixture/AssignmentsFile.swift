package import Failures
import Preferences

/// The text of `assignments.csv` (quoting as in RFC 4180): `user_id,group,log_likelihood_0,…,responsibility_0,…`, a
/// line per user.
///
/// `responsibilities`: [U][K]; a user's group is the likeliest. Numbers are written with the fewest digits that read
/// back to the same value.
package func assignmentsCSV(of scores: UserScores, responsibilities: [[Double]]) -> String {
    let count = responsibilities.first?.count ?? 0
    let header =
        ["user_id", "group"] + (0..<count).map { "log_likelihood_\($0)" } + (0..<count).map { "responsibility_\($0)" }
    let rows = scores.members.indices.map { user in
        [quotedCSV(scores.members[user].id), String(argmax(responsibilities[user]))]
            + scores.logLikelihoods[user].map { "\($0)" } + responsibilities[user].map { "\($0)" }
    }
    return ([header] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
}

/// A field in quotes where RFC 4180 asks for them, quotes doubled.
///
/// By bytes: a combining mark makes another Character of a quotation mark. What a spreadsheet may take for a formula
/// (`=1+1`) is left as it is.
private func quotedCSV(_ field: String) -> String {
    let quote = UInt8(ascii: "\"")
    let special = field.utf8.contains { $0 == UInt8(ascii: ",") || $0 == quote || $0 == 10 || $0 == 13 }
    guard special else { return field }
    let doubled = field.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
    return String(decoding: [quote] + doubled + [quote], as: UTF8.self)
}

/// `assignments.csv` read back.
package struct AssignmentsTable {
    /// Each user's id, in the order of the file.
    package private(set) var ids: [String] = []
    /// [U][K]: log-likelihoods on `assign`.
    package private(set) var logLikelihoods: [[Double]] = []
    /// [U][K]: q_h(u).
    package private(set) var responsibilities: [[Double]] = []

    /// Reads a table; throws `badData` naming the line that is no row of one.
    package init(path: String) throws(Failure) {
        let table = try CSVReader(path: path)
        let columns = try table.next()?.get().fields ?? []
        let groups = columns.count { $0.hasPrefix("responsibility_") }
        guard groups > 0, columns.count == 2 + 2 * groups else {
            throw Failure(.badData, "is no table of assignments", at: path)
        }
        while let record = try table.next()?.get() {
            let numbers = record.fields.dropFirst(2).compactMap { Double($0) }
            guard record.fields.count == columns.count, numbers.count == 2 * groups, numbers.allSatisfy(\.isFinite)
            else {
                throw Failure(.badData, "is no row of a table of assignments", at: "\(path):\(record.number)")
            }
            ids.append(record.fields[0])
            logLikelihoods.append(Array(numbers[..<groups]))
            responsibilities.append(Array(numbers[groups...]))
        }
        guard !ids.isEmpty else { throw Failure(.badData, "is no table of assignments", at: path) }
    }
}
