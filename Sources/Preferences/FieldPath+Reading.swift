import Failures
import StrictJSON
import StrictYAML

/// What paths are read in: a row, and the element or turn of a list that makes the comparison.
struct RowScope {
    let row: JSONObject
    /// The element of the list that these steps lead to.
    var element: (steps: [FieldPath.Step], value: JSONValue)?
    /// The value that `*` stands for.
    var turn: JSONValue?
    /// `file:line`.
    let location: String
}

extension FieldPath {
    /// The value of a path, a list where it goes through one; null where it is, or where one may leave it out.
    ///
    /// - Throws: `Failure` 65 that names the field that is missing, and the one nearest to it.
    func value(in scope: RowScope) throws(Failure) -> JSONValue {
        // A name with points, as columns of tables have.
        if let value = scope.row[text] { return value }
        var start = JSONValue.object(scope.row)
        var remaining = steps[...]
        if let element = scope.element, remaining.starts(with: element.steps) {
            start = element.value
            remaining = remaining.dropFirst(element.steps.count)
        }
        let values = try values(at: remaining, of: start, scope)
        let isList = remaining.contains { if case .each = $0 { true } else { false } }
        return isList ? .array(values) : values[0]
    }

    /// The elements of the list that the first steps lead to; none where it is null.
    func elements(upTo steps: ArraySlice<Step>, in scope: RowScope) throws(Failure) -> [JSONValue] {
        try values(at: steps, of: .object(scope.row), scope).filter { !$0.isNull }
    }

    private func values(
        at steps: ArraySlice<Step>,
        of value: JSONValue,
        _ scope: RowScope
    ) throws(Failure) -> [JSONValue] {
        guard let step = steps.first, !value.isNull else { return [value] }
        let rest = steps.dropFirst()
        switch step {
        case .name(let pattern):
            guard let name = try pattern.text(in: scope) else { return [.null] }
            guard let object = value.object else {
                throw failure("\"\(name)\" is looked for in \(value.kind), not in an object", scope)
            }
            if let member = object[name] { return try values(at: rest, of: member, scope) }
            guard isOptional else { throw missing(name, in: object, scope) }
            return [.null]
        case .element(let index):
            let list = try list(value, scope)
            guard index < list.count else {
                if isOptional { return [.null] }
                throw failure("has no element \(index): the list has \(list.count)", scope)
            }
            return try values(at: rest, of: list[index], scope)
        case .each(let conditions):
            var found: [JSONValue] = []
            for element in try list(value, scope) where try conditions.allSatisfied(by: element, scope) {
                found += try values(at: rest, of: element, scope)
            }
            return found
        }
    }

    private func list(_ value: JSONValue, _ scope: RowScope) throws(Failure) -> [JSONValue] {
        guard let list = value.array else { throw failure("needs a list, found \(value.kind)", scope) }
        return list
    }

    private func missing(_ name: String, in object: JSONObject, _ scope: RowScope) -> Failure {
        failure("\"\(name)\" is missing\(remedy(for: name, among: object.keys))", scope)
    }

    private func failure(_ reason: String, _ scope: RowScope) -> Failure {
        let place = text == (steps.first?.plainName ?? "") && steps.count == 1 ? "field" : "\"\(text)\":"
        return Failure(.badData, "\(place) \(reason)", at: scope.location)
    }
}

/// `; did you mean "x"?`, or else the names that there are.
func remedy(for name: String, among known: [String]) -> String {
    let near = nearestName(to: name, among: known) ?? known.first { name.count > 2 && $0.contains(name) }
    if let near { return "; did you mean \"\(near)\"?" }
    let shown = known.prefix(12).joined(separator: ", ")
    return known.isEmpty ? "" : "; there are: \(shown)\(known.count > 12 ? " and \(known.count - 12) more" : "")"
}

extension FieldPath.Step {
    fileprivate var plainName: String? {
        if case .name(let pattern) = self { pattern.constant } else { nil }
    }
}

extension [FieldPath.Condition] {
    /// Whether all are true of an element; a field that it lacks is equal to nothing.
    fileprivate func allSatisfied(by element: JSONValue, _ scope: RowScope) throws(Failure) -> Bool {
        for condition in self {
            guard let object = element.object else {
                let message = "\"\(condition.name)\" is looked for in \(element.kind), not in an object"
                throw Failure(.badData, message, at: scope.location)
            }
            let found = object[condition.name] ?? .null
            let wanted = condition.value ?? scope.turn?.plainText
            let isSatisfied =
                switch condition.relation {
                case .equal: found.plainText == wanted && wanted != nil
                case .different: found.plainText != wanted
                case .below: (found.number ?? .infinity) < (scope.turn?.number ?? -.infinity)
                }
            guard isSatisfied else { return false }
        }
        return true
    }
}

extension TextPattern {
    /// The text with its values; nil where one of them is null.
    func text(in scope: RowScope) throws(Failure) -> String? {
        if let constant { return constant }
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let part): text += part
            case .value(let path):
                let value = try path.value(in: scope)
                if value.isNull { return nil }
                guard let part = value.plainText else {
                    let message = "\"\(path.text)\" must be a text or a number, found \(value.kind)"
                    throw Failure(.badData, message, at: scope.location)
                }
                text += part
            }
        }
        return text
    }
}

extension JSONValue {
    /// A string, number or flag as text: whole numbers without a fraction, as tables that lack some write them.
    var plainText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
