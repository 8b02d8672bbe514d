package import StrictYAML

/// A key of the configuration with the values that a sweep gives it.
package struct SweptKey: Equatable, Sendable {
    /// Dotted, as `--set` takes it.
    package let key: String
    package let values: [YAMLNode]
}

extension KeyType<[SweptKey]> {
    /// `{run.seed: [1, 2], policy.beta: [0.02, 0.05]}`.
    static var grid: Self {
        KeyType(
            name: "mapping of keys to lists of values, none empty",
            show: { shown($0) { "[" + $0.values.map(\.flowText).joined(separator: ", ") + "]" } }
        ) { node in
            guard case .mapping(let members) = node.content, !members.isEmpty else { return nil }
            let keys = members.compactMap { member -> SweptKey? in
                guard case .list(let values) = member.value.content, !values.isEmpty else { return nil }
                return SweptKey(key: member.key, values: values)
            }
            return keys.count == members.count ? keys : nil
        } describe: { node in
            guard case .mapping(let members) = node.content else { return node.kind }
            for member in members {
                guard case .list(let values) = member.value.content else {
                    return "\(member.value.kind) for \(member.key)"
                }
                if values.isEmpty { return "an empty list for \(member.key)" }
            }
            return "an empty one"
        }
    }

    /// `{sft.steps: 100}`.
    static var settings: Self {
        KeyType(name: "mapping of keys to values", show: { shown($0) { $0.values.map(\.flowText).joined() } }) { node in
            guard case .mapping(let members) = node.content else { return nil }
            return members.map { SweptKey(key: $0.key, values: [$0.value]) }
        }
    }
}

private func shown(_ keys: [SweptKey], _ values: (SweptKey) -> String) -> String {
    "{" + keys.map { "\($0.key): \(values($0))" }.joined(separator: ", ") + "}"
}
