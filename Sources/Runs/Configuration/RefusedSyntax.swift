/// The first use of YAML syntax that a configuration may not hold, found before the YAML library sees the text:
/// it would expand aliases and hash them as keys, which can cost exponential time.
func refusedSyntax(in text: String) -> (line: Int, reason: String)? {
    var scan = SyntaxScan()
    var iterator = Array(text.utf8)[...]
    if iterator.starts(with: [0xEF, 0xBB, 0xBF]) { iterator = iterator.dropFirst(3) }
    while let byte = iterator.popFirst() {
        if let reason = scan.step(byte, next: iterator.first) { return (scan.line, reason) }
    }
    return nil
}

/// Where the scan stands: enough of YAML's grammar to know which characters start a value.
private struct SyntaxScan {
    enum Inside { case blank, plain, comment, singleQuoted, doubleQuoted }

    var line = 0
    /// Blanks and list dashes of the current line: what block nesting is made of.
    var indentation = 0
    var dashes = 0
    var flowDepth = 0
    var inside = Inside.blank
    var escaped = false
    var previous = UInt8(ascii: "\n")

    /// Takes one byte; returns why the text is refused.
    mutating func step(_ byte: UInt8, next: UInt8?) -> String? {
        defer { previous = byte }
        if previous == UInt8(ascii: "\n") { startLine() }
        switch inside {
        case .comment:
            break
        case .doubleQuoted:
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                inside = .plain
            }
        case .singleQuoted:
            // A doubled quote closes and opens again: the same to this scan.
            if byte == UInt8(ascii: "'") { inside = .plain }
        case .plain:
            stepPlain(byte, next: next)
        case .blank:
            return stepBlank(byte, next: next)
        }
        return nil
    }

    private mutating func startLine() {
        line += 1
        indentation = 0
        dashes = 0
        if inside == .plain || inside == .comment { inside = .blank }
    }

    private mutating func stepPlain(_ byte: UInt8, next: UInt8?) {
        let nextIsBlank = next.map(isBlank) ?? true
        switch byte {
        case UInt8(ascii: ":") where nextIsBlank || flowDepth > 0: inside = .blank
        case UInt8(ascii: "#") where isBlank(previous): inside = .comment
        case UInt8(ascii: ",") where flowDepth > 0: inside = .blank
        case UInt8(ascii: "'") where previous == UInt8(ascii: "'"): inside = .singleQuoted
        case UInt8(ascii: "]"), UInt8(ascii: "}"): flowDepth = max(0, flowDepth - 1)
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            // Inside a flow collection these always open another one.
            if flowDepth > 0 {
                flowDepth += 1
                inside = .blank
            }
        default: break
        }
    }

    private mutating func stepBlank(_ byte: UInt8, next: UInt8?) -> String? {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ","), UInt8(ascii: ":"):
            indentation += 1
            return indentation > 512 ? "indented too deeply" : nil
        case UInt8(ascii: "\t"):
            return "a tab where YAML wants spaces"
        case UInt8(ascii: "-") where next.map(isBlank) ?? true:
            dashes += 1
            return dashes > 16 ? "nested too deeply" : nil
        case UInt8(ascii: "#"): inside = .comment
        case UInt8(ascii: "\""): inside = .doubleQuoted
        case UInt8(ascii: "'"): inside = .singleQuoted
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            flowDepth += 1
            return flowDepth > 16 ? "nested too deeply" : nil
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            flowDepth = max(0, flowDepth - 1)
            inside = .plain
        case UInt8(ascii: "&"): return "anchors (&) are not supported; write the value out, or quote the text"
        case UInt8(ascii: "*"): return "aliases (*) are not supported; write the value out, or quote the text"
        case UInt8(ascii: "!"): return "tags (!) are not supported; the key decides the type; or quote the text"
        case UInt8(ascii: "|"), UInt8(ascii: ">"): return "block text (| and >) is not supported; quote the text"
        case UInt8(ascii: "%"): return "YAML directives (%) are not supported"
        case UInt8(ascii: "?") where next.map(isBlank) ?? true: return "complex keys (?) are not supported"
        default: inside = .plain
        }
        return nil
    }

    private func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
            || byte == UInt8(ascii: "\t")
    }
}
