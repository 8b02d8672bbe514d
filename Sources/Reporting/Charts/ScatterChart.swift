/// Named points with vertical intervals, as policies by what they cost and what they give.
struct ScatterChart {
    let title: String
    let caption: String
    let xLabel: String
    let yLabel: String
    let points: [(name: String, x: Double, y: Interval)]

    /// The figure; empty without a point that has a place.
    var html: String {
        let drawn = points.filter { isDrawable($0.x) && [$0.y.mean, $0.y.low, $0.y.high].allSatisfy(isDrawable) }
        guard !drawn.isEmpty else { return "" }
        let y = Axis(drawn.flatMap { [100 * $0.y.low, 100 * $0.y.high] }, including: [50])
        let frame = Frame(x: Axis(drawn.map(\.x), including: [0]), y: y, height: 250)
        var drawing = frame.grid(xLabel, yLabel)
        var names: [(at: Double, text: String)] = []
        for (index, point) in drawn.enumerated() {
            let (x, top) = (frame.across(point.x), frame.up(100 * point.y.mean))
            let at = decimal(x, 1)
            let style = seriesClass(index)
            drawing += "<path class=\"whisker \(style)\" d=\"M\(at) \(decimal(frame.up(100 * point.y.low), 1))"
            drawing += "V\(decimal(frame.up(100 * point.y.high), 1))\"/>"
            drawing += "<circle class=\"dot \(style)\" cx=\"\(at)\" cy=\"\(decimal(top, 1))\" r=\"4\"><title>"
            drawing +=
                "\(escaped(point.name)): \(escaped(point.y.percent)) % at \(decimal(point.x, 2)) nats</title></circle>"
            let isRight = x > (frame.left + frame.right) / 2
            let side = isRight ? "x=\"\(decimal(x - 7, 1))\" text-anchor=\"end\"" : "x=\"\(decimal(x + 7, 1))\""
            names.append((top, "<text class=\"tick\" \(side) y=\"%\" dy=\".32em\">\(escaped(point.name))</text>"))
        }
        var free = frame.top
        for name in names.sorted(by: { $0.at < $1.at }) {
            let at = max(name.at, free)
            drawing += name.text.replacing("y=\"%\"", with: "y=\"\(decimal(at, 1))\"", maxReplacements: 1)
            free = at + 12
        }
        return figure(title, caption, svg("\(title). \(caption)", height: frame.height, drawing))
    }
}
