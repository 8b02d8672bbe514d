package import Failures
package import StrictJSON
package import Text

/// Calls `body` with each row of a JSON Lines or (by its ending) CSV file, as an object, and with the row's
/// `file:line`.
///
/// A CSV row becomes an object of strings; an empty cell is left out of it. Failures of `body` make a bad line.
func forEachRow(
    of path: String,
    _ options: LoadOptions,
    _ report: inout LoadReport,
    _ body: (JSONObject, String, inout LoadReport) throws(Failure) -> Void
) throws(Failure) {
    if path.lowercased().hasSuffix(".csv") {
        try forEachRecord(of: path, options, &report, body)
    } else {
        try forEachLine(of: path, options, &report, body)
    }
    try report.check(options)
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
        if report.rows == 0, line.bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") {
            throw Failure(.badData, "a JSON array; write one object a line (jq -c '.[]')", at: path)
        }
        report.rows += 1
        let location = "\(path):\(line.number)"
        do throws(Failure) {
            let value = try JSONValue(parsingLine: line.bytes, at: location)
            guard let object = value.object else {
                throw Failure(.badData, "expected an object, found \(value.kind)", at: location)
            }
            try body(object, location, &report)
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
            for (name, field) in zip(header.fields, record.fields) where !field.isEmpty {
                object[name] = .string(field)
            }
            try body(object, location, &report)
        } catch {
            try report.badLine(error, options.onBadLine)
        }
    }
    report.contentHash = records.contentHash
}

extension JSONObject {
    /// A required string.
    func text(_ key: String, at location: String) throws(Failure) -> String {
        guard let value = self[key] else { throw Failure(.badData, "field \"\(key)\" is missing", at: location) }
        guard let text = value.string else {
            throw Failure(.badData, "field \"\(key)\" must be a string, found \(value.kind)", at: location)
        }
        return text
    }

    /// A string that may be absent or null.
    func optionalText(_ key: String, at location: String) throws(Failure) -> String? {
        guard let value = self[key], !value.isNull else { return nil }
        return try text(key, at: location)
    }

    /// A boolean that may be absent; CSV writes it `true` or `false`.
    func flag(_ key: String, default missing: Bool, at location: String) throws(Failure) -> Bool {
        guard let value = self[key], !value.isNull else { return missing }
        if let flag = value.bool { return flag }
        if let text = value.string, let flag = Bool(text) { return flag }
        throw Failure(.badData, "field \"\(key)\" must be true or false, found \(value.kind)", at: location)
    }

    /// A prompt that the template can render: a string, or a list of messages with `role` and `content`.
    package func prompt(_ key: String, _ template: ChatTemplate, at location: String) throws(Failure) -> Conversation {
        let conversation = try conversation(key, at: location)
        if let problem = template.problem(in: conversation) {
            throw Failure(.badData, "\"\(key)\" \(problem)", at: location)
        }
        return conversation
    }

    private func conversation(_ key: String, at location: String) throws(Failure) -> Conversation {
        guard let rows = self[key]?.array else { return Conversation(try text(key, at: location)) }
        var messages: [Message] = []
        for (index, row) in rows.enumerated() {
            guard let object = row.object else {
                let reason = "message \(index + 1) of \"\(key)\" must be an object with \"role\" and \"content\""
                throw Failure(.badData, "\(reason), found \(row.kind)", at: location)
            }
            let name = try object.text("role", at: location)
            guard let role = Message.Role(rawValue: name) else {
                let known = Message.Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(.badData, "role \"\(name)\" in \"\(key)\"; known: \(known)", at: location)
            }
            messages.append(Message(role, try object.text("content", at: location)))
        }
        guard !messages.isEmpty else { throw Failure(.badData, "\"\(key)\" is an empty conversation", at: location) }
        return Conversation(messages)
    }
}

extension Conversation {
    /// As a row has it: a string where it is one message of a user.
    var json: JSONValue {
        if messages.count == 1, messages[0].role == .user { return .string(messages[0].content) }
        return .array(messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] })
    }
}
