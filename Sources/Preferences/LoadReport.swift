import Failures
package import Text

/// What to do with a line that cannot be used.
package enum BadLinePolicy: String, Sendable, CaseIterable {
    /// End with the first bad line's failure.
    case fail
    /// Leave it out and count it; more than 1 % of bad lines is still a failure.
    case skip
}

/// What to do with a comparison that repeats an earlier one of the same user exactly.
package enum DuplicatePolicy: String, Sendable, CaseIterable {
    /// It counts like any other: a user may choose the same twice.
    case keep
    /// Only the first counts.
    case drop
}

/// How to read a file of rows.
package struct LoadOptions: Sendable {
    /// What a bad line does.
    package var onBadLine: BadLinePolicy
    /// Prompts that it cannot render are bad lines.
    package var template: ChatTemplate
    /// What a repetition does; it is reported in any case.
    package var duplicates: DuplicatePolicy
    /// Fewer usable rows than this are refused; at least one, and one for each rank.
    package var minimumRows: Int
    /// Longest accepted line in bytes.
    package var maximumLineBytes: Int

    /// States the options.
    package init(
        onBadLine: BadLinePolicy = .fail,
        template: ChatTemplate = .none,
        duplicates: DuplicatePolicy = .keep,
        minimumRows: Int = 1,
        maximumLineBytes: Int = 16 << 20
    ) {
        self.onBadLine = onBadLine
        self.template = template
        self.duplicates = duplicates
        self.minimumRows = minimumRows
        self.maximumLineBytes = maximumLineBytes
    }
}

/// What was found while reading a file.
package struct LoadReport: Equatable, Sendable {
    /// The file.
    package var path: String
    /// Rows seen, bad ones included, blank lines not.
    package var rows = 0
    /// Rows that are kept.
    package var kept = 0
    /// Bad lines left out.
    package var skipped = 0
    /// The first few reasons for leaving lines out.
    package var skippedReasons: [String] = []
    /// Comparisons dropped because both responses are the same.
    package var identical = 0
    /// Comparisons or texts dropped because a response or the text is empty.
    package var empty = 0
    /// Comparisons that repeat an earlier one of the same user exactly.
    package var duplicates = 0
    /// FNV-1a of the file's bytes: equal on all ranks and on resume, or the file changed.
    package var contentHash: UInt64 = 0

    /// An empty report of a file.
    package init(path: String) {
        self.path = path
    }

    /// One line for each thing that a person should know; empty where all is well.
    package var warnings: [String] {
        var lines: [String] = []
        if skipped > 0 {
            lines.append("\(path): \(skipped) of \(rows) lines left out, the first: \(skippedReasons.first ?? "")")
        }
        if identical > 0 { lines.append("\(path): \(identical) comparisons of identical responses dropped") }
        if empty > 0 { lines.append("\(path): \(empty) rows with an empty text dropped") }
        if duplicates > 0 {
            lines.append("\(path): \(duplicates) comparisons repeat an earlier one of the same user (data.duplicates)")
        }
        return lines
    }

    /// Takes a row's failure: passes it on, or counts it where bad lines are skipped.
    mutating func badLine(_ failure: Failure, _ policy: BadLinePolicy) throws(Failure) {
        guard policy == .skip else { throw failure }
        skipped += 1
        if skippedReasons.count < 5 { skippedReasons.append(failure.description) }
    }

    /// The checks that need the whole file.
    func check(_ options: LoadOptions) throws(Failure) {
        if skipped * 100 > rows {
            let first = skippedReasons.first ?? ""
            throw Failure(.badData, "\(skipped) of \(rows) lines are bad, more than 1 %; the first: \(first)", at: path)
        }
        guard kept > 0 else { throw Failure(.badData, rows == 0 ? "empty file" : "no usable row", at: path) }
        guard kept >= options.minimumRows else {
            let message =
                "\(kept) usable rows, fewer than the \(options.minimumRows) needed; use fewer ranks or more data"
            throw Failure(.badData, message, at: path)
        }
    }
}
