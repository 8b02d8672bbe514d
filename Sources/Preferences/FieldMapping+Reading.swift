import Failures
import StrictJSON
import Text

/// What a mapping makes of a row.
struct MappedRows {
    /// Rows of our own form.
    var rows: [JSONObject] = []
    /// Comparisons that nobody answered: a field is null that a comparison needs.
    var unanswered = 0
}

extension FieldMapping {
    /// The rows of our own form that a row of a foreign file is.
    ///
    /// A comparison whose prompt or responses are null is none; one whose answer or user is null is counted.
    ///
    /// - Throws: `Failure` 65 at the line, which names the field that is missing or is not as it must be.
    func rows(of row: JSONObject, at location: String) throws(Failure) -> MappedRows {
        var found = MappedRows()
        for part in parts {
            for scope in try part.scopes(of: row, at: location) { try part.add(scope, to: &found) }
        }
        return found
    }
}

extension MappedFields {
    /// What each comparison of a row is read in.
    fileprivate func scopes(of row: JSONObject, at location: String) throws(Failure) -> [RowScope] {
        let whole = RowScope(row: row, location: location)
        guard let loop, let path = values.lazy.flatMap(\.value.paths).first(where: loop.begins) else { return [whole] }
        switch loop {
        case .elements(let steps):
            return try path.elements(upTo: steps[...], in: whole).map {
                RowScope(row: row, element: (steps, $0), location: location)
            }
        case .turns(let steps, let field):
            var turns: [JSONValue] = []
            for element in try path.elements(upTo: (steps + [.each([])])[...], in: whole) {
                guard let turn = element.object?[field], turn.plainText != nil else {
                    throw Failure(.badData, "an element of \"\(path.text)\" lacks \"\(field)\"", at: location)
                }
                if !turns.contains(turn) { turns.append(turn) }
            }
            return turns.map { RowScope(row: row, turn: $0, location: location) }
        }
    }

    fileprivate func add(_ scope: RowScope, to found: inout MappedRows) throws(Failure) {
        var row = passed(scope.row)
        for (key, value) in values {
            var read = try value.value(in: scope, asList: Self.lists.contains(key))
            if let text = read.plainText, missing.contains(text) { read = .null }
            switch key {
            case "prompt":
                if read.isNull || read.array.map({ $0.contains(where: \.isNull) }) ?? false { return }
                read = try conversation(read, scope)
            case "responses", "scores":
                if let list = read.array { read = .array(list.map { isMissing($0) ? .null : $0 }) }
            case "choice", "ranking", "tie": break
            default: if let text = read.plainText { read = .string(text) }
            }
            row[key] = read
        }
        if let told = try told(row["choice"], scope) {
            row["choice"] = told.isNull ? nil : told
            if told == "tie" { (row["choice"], row["tie"]) = (nil, true) }
            if told.isNull {
                found.unanswered += 1
                return
            }
        }
        let responses = row["responses"]?.array ?? [row["chosen"], row["rejected"]].compactMap { $0 }
        if !responses.isEmpty, responses.allSatisfy(\.isNull) { return }
        guard let row = try answered(row, scope) else {
            found.unanswered += 1
            return
        }
        found.rows.append(row)
    }

    /// What of a row is under our own names already, where nothing of the kind is mapped.
    private func passed(_ row: JSONObject) -> JSONObject {
        let mapped = values.map(\.key)
        func maps(_ keys: [String]) -> Bool { keys.contains(where: mapped.contains) }
        var names = ["user_id", "group", "prompt"].filter { !mapped.contains($0) }
        if !maps(["responses"]) { names += ["chosen", "rejected", "chosen_complete", "rejected_complete"] }
        if !maps(["chosen", "rejected"]) { names += ["responses", "responses_complete"] }
        if !maps(["ranking", "choice", "scores", "tie"]) {
            names += maps(["chosen", "rejected"]) ? ["tie"] : ["ranking", "choice", "scores", "tie"]
        }
        var passed = JSONObject()
        for name in names { passed[name] = row[name] }
        return passed
    }

    private func isMissing(_ value: JSONValue) -> Bool {
        value.isNull || value.plainText.map(missing.contains) ?? false
    }

    /// What a choice means: an index, `"tie"`, or null where there was none; nil where no choice is mapped.
    private func told(_ choice: JSONValue?, _ scope: RowScope) throws(Failure) -> JSONValue? {
        guard value("choice") != nil, let choice else { return nil }
        if isMissing(choice) { return .null }
        guard let word = choice.plainText else {
            let message = "field \"choice\" must be a word or a number, found \(choice.kind)"
            throw Failure(.badData, message, at: scope.location)
        }
        guard !choices.isEmpty else {
            if let index = Int(word) { return .integer(index) }
            let message = "choice \"\(word)\" is no index of a response"
            throw Failure(.badData, "\(message); say in data.fields' choices what its words mean", at: scope.location)
        }
        switch choices.first(where: { $0.word == word })?.meaning {
        case .response(let index): return .integer(index)
        case .tie: return "tie"
        case .some(.none): return .null
        case nil:
            let known = remedy(for: word, among: choices.map(\.word))
            throw Failure(.badData, "choice \"\(word)\" is not among data.fields' choices\(known)", at: scope.location)
        }
    }

    /// The row without responses that are null or have no score, whose scores are numbers; nil where a field is null
    /// that it needs.
    private func answered(_ row: JSONObject, _ scope: RowScope) throws(Failure) -> JSONObject? {
        let needed = ["user_id", "chosen", "rejected", "ranking", "scores", "tie"]
        for key in needed where value(key) != nil && row[key]?.isNull ?? false { return nil }
        guard value("responses") != nil, let texts = row["responses"]?.array else { return row }
        let scores = value("scores") == nil ? nil : row["scores"]?.array
        guard scores.map({ $0.count == texts.count }) ?? true else {
            let message = "\(scores?.count ?? 0) scores, but \(texts.count) responses"
            throw Failure(.badData, message, at: scope.location)
        }
        let kept = texts.indices.filter { !texts[$0].isNull && !(scores?[$0].isNull ?? false) }
        guard kept.count >= 2 else { return nil }
        var row = row
        row["responses"] = .array(kept.map { texts[$0] })
        if let scores {
            var numbers: [JSONValue] = []
            for index in kept { numbers.append(try number(scores[index], scope)) }
            row["scores"] = .array(numbers)
        }
        guard kept.count < texts.count else { return row }
        if let choice = row["choice"]?.integer {
            guard let index = kept.firstIndex(of: choice) else { return nil }
            row["choice"] = .integer(index)
        }
        if let ranking = row["ranking"]?.array?.map(\.integer) as? [Int] {
            row["ranking"] = .array(ranking.compactMap(kept.firstIndex).map(JSONValue.integer))
        }
        return row
    }

    private func number(_ score: JSONValue, _ scope: RowScope) throws(Failure) -> JSONValue {
        if score.number != nil { return score }
        if let number = score.string.flatMap({ Double($0) }), number.isFinite { return .number(number) }
        let found = score.plainText.map { "\"\($0)\"" } ?? score.kind
        let message = "score \(found) is no number; if it stands for none, name it in data.fields' missing"
        throw Failure(.badData, message, at: scope.location)
    }

    /// A prompt as messages: of texts the user's and the assistant's in turn, a text among messages the user's; of
    /// several messages of one role in a row the first.
    private func conversation(_ prompt: JSONValue, _ scope: RowScope) throws(Failure) -> JSONValue {
        guard let elements = prompt.array else { return prompt }
        if elements.allSatisfy({ $0.plainText != nil }) {
            if elements.count == 1 { return elements[0] }
            return .array(
                elements.enumerated().map { index, text in
                    ["role": index % 2 == 0 ? "user" : "assistant", "content": text]
                }
            )
        }
        var messages: [JSONValue] = []
        for element in elements {
            let object = element.plainText == nil ? element.object : ["role": "user", "content": element]
            guard let object, let role = (object["role"] ?? object["from"])?.string,
                let content = object["content"] ?? object["value"]
            else {
                let message = "a message of the prompt needs \"role\" and \"content\", or \"from\" and \"value\""
                throw Failure(.badData, message, at: scope.location)
            }
            let name = foreignRoles[role] ?? role
            if messages.last?.object?["role"] != .string(name) {
                messages.append(["role": .string(name), "content": content])
            }
        }
        return .array(messages)
    }
}

/// What others call the roles.
private let foreignRoles = ["human": "user", "prompter": "user", "model": "assistant", "gpt": "assistant"]

extension MappedFields.Loop {
    /// Whether the loop's list is read from a path.
    fileprivate func begins(_ path: FieldPath) -> Bool {
        switch self {
        case .elements(let steps), .turns(let steps, _): path.steps.starts(with: steps)
        }
    }
}

extension MappedValue {
    /// The value in a comparison; null where a part of it is.
    ///
    /// - Parameter asList: whether several values are wanted: paths through lists then give all their elements.
    fileprivate func value(in scope: RowScope, asList: Bool) throws(Failure) -> JSONValue {
        switch self {
        case .text(let pattern, _): return try pattern.text(in: scope).map(JSONValue.string) ?? .null
        case .path(let path):
            let value = try path.value(in: scope)
            guard !asList, path.isList, let list = value.array, scope.turn != nil else { return value }
            guard list.count == 1 else {
                let message = "\"\(path.text)\" has \(list.count) values, not one"
                throw Failure(.badData, message, at: scope.location)
            }
            return list[0]
        case .list(let values):
            var all: [JSONValue] = []
            for value in values {
                let read = try value.value(in: scope, asList: asList)
                all += read.array ?? [read]
            }
            return .array(all)
        }
    }
}
