extension YAMLNode {
    /// The value on one line, which YAML reads back as the same value: `[1, "a b"]`.
    package var flowText: String {
        switch content {
        case .scalar(let text, let quoted):
            // Plain ones stay plain, since quotation marks would make text of a number.
            if !quoted, !text.isEmpty, text.utf8.allSatisfy(isHarmlessInFlow) { return text }
            if !quoted, isNull { return "null" }
            let shown = quotedYAML(text)
            return shown.hasPrefix("\"") ? shown : "\"\(shown)\""
        case .list(let elements):
            return "[" + elements.map(\.flowText).joined(separator: ", ") + "]"
        case .mapping(let members):
            return "{" + members.map { "\(quotedYAML($0.key)): \($0.value.flowText)" }.joined(separator: ", ") + "}"
        }
    }
}

private func isHarmlessInFlow(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "_-+./~".utf8.contains(byte)
    }
}
