package import StrictJSON

/// The figures of a line of `metrics.jsonl` by flat names: `utility/group-0`, `group_sizes/1`.
///
/// - Returns: all but objects and arrays themselves, in their order; `null` stays.
package func flatFigures(_ object: JSONObject, leavingOut hidden: Set<String> = []) -> [(
    name: String, value: JSONValue
)] {
    object.members.flatMap { key, value in
        hidden.contains(key) ? [] : flat(value, named: key)
    }
}

extension JSONFields {
    /// The numbers of a line of `metrics.jsonl` by flat names, flags as 0 and 1, without what says whose line it is.
    var scalars: [(name: String, value: Double)] {
        flatFigures(object, leavingOut: ["stage", "step", "objective", "fit", "restart", "iteration"]).compactMap {
            name,
            value in
            (value.number ?? value.bool.map { $0 ? 1 : 0 }).map { (name, $0) }
        }
    }
}

private func flat(_ value: JSONValue, named name: String) -> [(name: String, value: JSONValue)] {
    if let object = value.object {
        return object.members.flatMap { flat($0.value, named: "\(name)/\($0.key)") }
    }
    if let array = value.array {
        return array.enumerated().flatMap { flat($0.element, named: "\(name)/\($0.offset)") }
    }
    return [(name, value)]
}
