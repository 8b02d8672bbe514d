package import StrictJSON

extension YAMLNode {
    /// The node as JSON; scalars are texts, since no key says otherwise, and YAML's null is null.
    package var json: JSONValue {
        switch content {
        case .scalar(let text, _): return isNull ? .null : .string(text)
        case .list(let elements): return .array(elements.map(\.json))
        case .mapping(let members):
            var object = JSONObject()
            for member in members { object[member.key] = member.value.json }
            return .object(object)
        }
    }
}
