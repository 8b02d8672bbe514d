/// Shares as shades: a row for each name, a column for each item.
struct HeatMap {
    let title: String
    let caption: String
    let xLabel: String
    let rows: [String]
    /// Items × rows, each from 0 to 1.
    let columns: [(name: String, shares: [Double])]

    /// The figure; of more than 300 items, as many at equal distances.
    var html: String {
        let stride = max(1, (columns.count + 299) / 300)
        let shown = Swift.stride(from: 0, to: columns.count, by: stride).map { columns[$0] }
        guard !shown.isEmpty, !rows.isEmpty else { return "" }
        let (left, row, top) = (62.0, 22.0, 4.0)
        let width = (Frame.width - left - 8) / Double(shown.count)
        var drawing = ""
        for (index, name) in rows.enumerated() {
            let y = top + row * Double(index)
            drawing +=
                "<text class=\"tick\" x=\"\(decimal(left - 5, 0))\" y=\"\(decimal(y + row / 2, 1))\" dy=\".32em\" "
            drawing += "text-anchor=\"end\">\(escaped(name))</text>"
            for (column, item) in shown.enumerated() where item.shares.indices.contains(index) {
                let share = min(max(item.shares[index], 0), 1)
                let gap = width > 4 ? 1.0 : 0
                drawing +=
                    "<rect class=\"cell\" x=\"\(decimal(left + width * Double(column), 2))\" y=\"\(decimal(y, 0))\" "
                drawing += "width=\"\(decimal(width - gap, 2))\" height=\"\(decimal(row - 1, 0))\" "
                drawing += "fill-opacity=\"\(decimal(0.06 + 0.94 * share, 2))\"><title>\(escaped(item.name)), "
                drawing += "\(escaped(name)): \(decimal(100 * share, 1)) %</title></rect>"
            }
        }
        let bottom = top + row * Double(rows.count)
        drawing +=
            "<text class=\"label\" x=\"\(decimal((left + Frame.width - 8) / 2, 0))\" y=\"\(decimal(bottom + 15, 0))\" "
        drawing += "text-anchor=\"middle\">\(escaped(xLabel))</text>"
        let shades = [0, 0.25, 0.5, 0.75, 1].enumerated().map { index, share in
            "<rect class=\"cell\" x=\"\(decimal(left + 30 * Double(index), 0))\" y=\"\(decimal(bottom + 26, 0))\" "
                + "width=\"30\" height=\"8\" fill-opacity=\"\(decimal(0.06 + 0.94 * share, 2))\"/>"
        }
        let scale =
            shades.joined() + "<text class=\"tick\" x=\"\(decimal(left - 5, 0))\" y=\"\(decimal(bottom + 34, 0))\" "
            + "text-anchor=\"end\">0 %</text><text class=\"tick\" x=\"\(decimal(left + 155, 0))\" "
            + "y=\"\(decimal(bottom + 34, 0))\">100 %</text>"
        let note = stride > 1 ? " One of \(stride) is drawn." : ""
        return figure(title, caption + note, svg("\(title). \(caption)", height: bottom + 40, drawing + scale))
    }
}
