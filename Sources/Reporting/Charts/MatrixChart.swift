/// Correlations between named things, as numbers on shades of two colors.
struct MatrixChart {
    let title: String
    let caption: String
    let names: [String]
    let values: [[Double]]

    /// The figure.
    var html: String {
        let (left, top) = (66.0, 20.0)
        let cell = min(56, (Frame.width - left - 6) / Double(max(1, names.count)))
        var drawing = ""
        for (i, name) in names.enumerated() {
            let middle = decimal((Double(i) + 0.5) * cell, 1)
            drawing += "<g transform=\"translate(\(decimal(left, 0)) \(decimal(top, 0)))\">"
            drawing +=
                "<text class=\"tick\" x=\"-5\" y=\"\(middle)\" dy=\".32em\" text-anchor=\"end\">\(escaped(name))</text>"
            drawing += "<text class=\"tick\" x=\"\(middle)\" y=\"-6\" text-anchor=\"middle\">"
            drawing += "\(escaped(cell < 46 ? name.replacing("group-", with: "") : name))</text>"
            for (j, value) in values[i].enumerated() {
                let (x, y) = (Double(j) * cell, Double(i) * cell)
                let opacity = decimal(0.6 * min(1, abs(value)), 2)
                drawing +=
                    "<rect class=\"fill \(value < 0 ? "s1" : "s0")\" x=\"\(decimal(x, 1))\" y=\"\(decimal(y, 1))\" "
                drawing +=
                    "width=\"\(decimal(cell - 1, 1))\" height=\"\(decimal(cell - 1, 1))\" fill-opacity=\"\(opacity)\"/>"
                drawing += "<text class=\"value\" x=\"\(decimal(x + cell / 2, 1))\" y=\"\(decimal(y + cell / 2, 1))\" "
                drawing += "dy=\".32em\" text-anchor=\"middle\">\(decimal(value, 2))</text>"
            }
            drawing += "</g>"
        }
        return figure(title, caption, svg(title, height: top + cell * Double(names.count) + 4, drawing))
    }
}
