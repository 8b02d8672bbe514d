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
    /// Where the fields of comparisons are; nil: under our own names.
    package var mapping: FieldMapping?

    /// States the options.
    package init(
        onBadLine: BadLinePolicy = .fail,
        template: ChatTemplate = .none,
        duplicates: DuplicatePolicy = .keep,
        minimumRows: Int = 1,
        maximumLineBytes: Int = 16 << 20,
        mapping: FieldMapping? = nil
    ) {
        self.onBadLine = onBadLine
        self.template = template
        self.duplicates = duplicates
        self.minimumRows = minimumRows
        self.maximumLineBytes = maximumLineBytes
        self.mapping = mapping
    }
}

/// How many comparisons are of which kind.
package struct AnswerCounts: Equatable, Sendable {
    /// One response of two, or ties of several.
    package var pairs = 0
    /// One response of several.
    package var choices = 0
    /// Several responses, or all, in order.
    package var rankings = 0
    /// A number for each response.
    package var scores = 0
    /// Of all these, in how many some responses tie.
    package var ties = 0
}

/// What was found while reading a file.
package struct LoadReport: Equatable, Sendable {
    /// The file.
    package var path: String
    /// Rows seen, bad ones included, blank lines not.
    package var rows = 0
    /// Comparisons, prompts or texts that are kept.
    package var kept = 0
    /// Of comparisons, how many are of which kind.
    package var answers = AnswerCounts()
    /// Bad lines left out.
    package var skipped = 0
    /// The first few reasons for leaving lines out.
    package var skippedReasons: [String] = []
    /// Comparisons dropped because a field is null that they need.
    package var unanswered = 0
    /// Comparisons dropped because two responses are the same.
    package var identical = 0
    /// Comparisons or texts dropped because a response or the text is empty.
    package var empty = 0
    /// Comparisons that repeat an earlier one of the same user exactly.
    package var duplicates = 0
    /// The first lines that lost a comparison, as `file:line: why`; bad lines are among them.
    package private(set) var dropped: [String] = []
    /// The fields of the first row.
    package var fields: [String] = []
    /// FNV-1a of the text: equal on all ranks and on resume, or the file changed.
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
        if unanswered > 0 { lines.append("\(path): \(unanswered) comparisons without an answer dropped") }
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
        note(failure.message, failure.location ?? path)
    }

    /// Counts comparisons of a line that are dropped, and notes why.
    mutating func drop(_ count: WritableKeyPath<Self, Int>, _ times: Int, _ reason: String, _ location: String) {
        guard times > 0 else { return }
        self[keyPath: count] += times
        note(reason, location)
    }

    /// Notes why a line lost a comparison, of the first lines.
    mutating func note(_ reason: String, _ location: String) {
        if dropped.count < 20 { dropped.append("\(location): \(reason)") }
    }

    /// Counts a comparison that is kept.
    mutating func count(_ answer: PreferenceRow.Answer, ties: Bool) {
        kept += 1
        if ties { answers.ties += 1 }
        switch answer {
        case .choice: answers.choices += 1
        case .ranking: answers.rankings += 1
        case .scores: answers.scores += 1
        case .pair, .tie: answers.pairs += 1
        }
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
