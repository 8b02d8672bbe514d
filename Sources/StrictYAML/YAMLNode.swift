/// One value of a configuration file, its type not yet decided, with the place it was written at.
///
/// Types are decided by the key that reads the value, never by how YAML would guess them: `no`, `012` and `1e-5` are
/// plain text until a key asks for a flag or a number.
package struct YAMLNode: Equatable, Sendable {
    /// What the file holds here.
    package enum Content: Equatable, Sendable {
        case scalar(String, quoted: Bool)
        case list([YAMLNode])
        case mapping([Member])
    }

    /// One `key: value` of a mapping.
    package struct Member: Equatable, Sendable {
        package var key: String
        /// Where the key was written.
        package var location: String
        package var value: YAMLNode
    }

    package var content: Content
    /// `file:line`, or the `--set` option that gave it.
    package var location: String

    /// Whether this is YAML's null: nothing, `~` or `null`, unquoted.
    package var isNull: Bool {
        guard case .scalar(let text, quoted: false) = content else { return false }
        return ["", "~", "null"].contains(text)
    }

    /// What it is, for messages.
    package var kind: String {
        switch content {
        case .scalar(let text, _): isNull ? "null" : "\"\(text.prefix(60))\""
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}
