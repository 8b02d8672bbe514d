/// Text as it may stand in a message, a log or a table: what a terminal would obey, and what would turn the order of
/// what is read, is escaped (`\u{1B}`), and more than `limit` bytes are cut.
///
/// Escaped are control characters (C0, DEL, C1), separators of lines and paragraphs, and Unicode's bidirectional
/// controls.
///
/// - Parameter keepsLines: whether line feeds stay, for text that is meant to have several lines.
package func printable(_ text: String, keepsLines: Bool = false, limit: Int = 4096) -> String {
    var shown = String.UnicodeScalarView()
    var bytes = 0
    for scalar in text.unicodeScalars {
        let isKept = !isControl(scalar) || keepsLines && scalar == "\n"
        let piece = isKept ? String.UnicodeScalarView([scalar]) : scalar.escaped(asASCII: true).unicodeScalars
        bytes += isKept ? UTF8.width(scalar) : piece.count
        guard bytes <= limit - 3 else {
            shown.append("…")
            break
        }
        shown.append(contentsOf: piece)
    }
    return String(shown)
}

/// Whether a scalar has no shape of its own but acts on a terminal, a line or the order of text.
package func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F: true
    // Line and paragraph separator; marks, embeddings, overrides and isolates of direction.
    case 0x2028...0x202E, 0x200E...0x200F, 0x2066...0x2069, 0x061C: true
    default: false
    }
}
