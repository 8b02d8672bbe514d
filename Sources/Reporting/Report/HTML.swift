import Failures

/// Text as HTML: what people wrote must become neither markup nor control characters; line feeds stay.
func escaped(_ text: String) -> String {
    let entities: [Unicode.Scalar: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;"]
    // By scalars: a combining mark makes another Character of "<", which a browser reads as it is.
    return printable(text, keepsLines: true, limit: .max).unicodeScalars.map { entities[$0] ?? String($0) }.joined()
}

/// A table that scrolls by itself where the window is narrower; cells that begin like a number are set to the right.
func table(_ header: [String], _ rows: [[String]]) -> String {
    func cells(_ tag: String, _ texts: [String]) -> String {
        texts.enumerated().map { index, text in
            let isFigure =
                index > 0
                && text.unicodeScalars.first.map { "0"..."9" ~= $0 || "-–".unicodeScalars.contains($0) } ?? false
            let own = index == 0 ? "th" : tag
            return "<\(own)\(isFigure ? " class=\"n\"" : "")>\(escaped(text))</\(own)>"
        }.joined()
    }
    let head = "<thead><tr>\(header.map { "<th>\(escaped($0))</th>" }.joined())</tr></thead>"
    let body = rows.map { "<tr>\(cells("td", $0))</tr>" }.joined(separator: "\n")
    return "<div class=\"scroll\"><table>\(head)<tbody>\n\(body)</tbody></table></div>\n"
}

/// A paragraph of plain text.
func paragraph(_ text: String) -> String { "<p>\(escaped(text))</p>\n" }

/// A list of plain texts.
func list(_ texts: [String]) -> String {
    texts.isEmpty ? "" : "<ul>\(texts.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n"))</ul>\n"
}

/// Charts beside each other, as many as fit.
func charts(_ figures: [String]) -> String {
    let drawn = figures.filter { !$0.isEmpty }
    return drawn.isEmpty ? "" : "<div class=\"charts\">\(drawn.joined())</div>\n"
}

/// A part of the page under a heading of its own; without content it says which stage would have given it.
func section(_ title: String, needs stage: String, _ content: String?) -> String {
    let body = content ?? "<p class=\"none\">Left out: the run has no stage <code>\(stage)</code>.</p>\n"
    return "<section><h2>\(escaped(title))</h2>\n\(body)</section>\n"
}

/// A page that needs nothing else: no script, no font, no network.
func page(title: String, _ body: String) -> String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark"><title>\(escaped(title))</title><style>
    \(style)
    </style></head><body>
    \(body)
    </body></html>

    """
}
