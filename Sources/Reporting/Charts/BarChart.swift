/// A share with its 95 % interval.
struct Interval: Equatable {
    let mean: Double
    let low: Double
    let high: Double

    /// `71.3 (67.0–75.4)`, in %.
    var percent: String { "\(decimal(100 * mean, 1)) (\(decimal(100 * low, 1))–\(decimal(100 * high, 1)))" }

    /// `-4.1 (-7.0 to -1.2)`, in points.
    var points: String { "\(decimal(100 * mean, 1)) (\(decimal(100 * low, 1)) to \(decimal(100 * high, 1)))" }
}

/// Horizontal bars of shares with intervals: for each policy, one bar a group, against a line at 50 %.
struct BarChart {
    let title: String
    let caption: String
    let xLabel: String
    /// What one policy's bars belong to.
    let groups: [String]
    /// Nil where a policy has no figure of a group.
    let policies: [(name: String, bars: [Interval?])]

    /// The figure; the lowest bar of each policy is marked.
    var html: String {
        let axis = Axis([0, 1])
        let (left, right, row, head) = (10.0, Frame.width - 44, 15.0, 18.0)
        func across(_ share: Double) -> String {
            decimal(axis.position(of: min(max(share, 0), 1), from: left, to: right), 1)
        }
        var drawing = ""
        var top = 4.0
        for (name, bars) in policies {
            let lowest = bars.compactMap { $0?.mean }.min()
            let isUneven = bars.contains { $0 != nil && $0?.mean != lowest }
            let worst = isUneven ? bars.firstIndex { $0?.mean == lowest && lowest != nil } : nil
            drawing +=
                "<text class=\"name\" x=\"\(decimal(left, 0))\" y=\"\(decimal(top + 12, 0))\">\(escaped(name))</text>"
            top += head
            for (index, bar) in bars.enumerated() {
                guard let bar, isDrawable(bar.mean) else { continue }
                let middle = decimal(top + row / 2 - 1, 1)
                let text = "\(name), \(groups.indices.contains(index) ? groups[index] : ""): \(bar.percent) %"
                drawing += "<g><title>\(escaped(text))</title>"
                drawing += "<path class=\"bar \(seriesClass(index))\" d=\"M\(decimal(left, 0)) \(decimal(top, 1))"
                drawing += "H\(across(bar.mean))v\(decimal(row - 3, 0))H\(decimal(left, 0))z\"/>"
                drawing += "<path class=\"interval\" d=\"M\(across(bar.low)) \(middle)H\(across(bar.high))\"/>"
                drawing += "<text class=\"\(index == worst ? "value worst" : "value")\" x=\"\(decimal(right + 4, 0))\" "
                drawing +=
                    "y=\"\(middle)\" dy=\".32em\">\(decimal(100 * bar.mean, 1))\(index == worst ? " ▾" : "")</text></g>"
                top += row
            }
            top += 6
        }
        let ticks = axis.ticks.map { tick in
            "<text class=\"tick\" x=\"\(across(tick))\" y=\"\(decimal(top + 12, 0))\" text-anchor=\"middle\">"
                + "\(decimal(100 * tick, 0))</text>"
        }
        let lines =
            "<path class=\"axis\" d=\"M\(decimal(left, 0)) \(decimal(top, 0))H\(decimal(right, 0))\"/>"
            + "<path class=\"half\" d=\"M\(across(0.5)) 0V\(decimal(top, 0))\"/>"
        let label =
            "<text class=\"label\" x=\"\(decimal((left + right) / 2, 0))\" y=\"\(decimal(top + 27, 0))\" "
            + "text-anchor=\"middle\">\(escaped(xLabel))</text>"
        let content = drawing + lines + ticks.joined() + label
        return figure(title, caption, key: groups, svg("\(title). \(caption)", height: top + 32, content))
    }
}
