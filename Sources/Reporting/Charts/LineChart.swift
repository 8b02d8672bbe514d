/// Values over something that is counted, one line a series.
struct LineChart {
    /// A line, and half the length of the error bar at each of its points where there are any.
    struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
        var errors: [Double] = []

        /// At most 240 points: each the mean of its neighbors where there are more, without those that have no place.
        var thinned: Series {
            let drawn = points.filter { isDrawable($0.x) && isDrawable($0.y) }
            let width = (drawn.count + 239) / 240
            guard width > 1 else { return Series(name: name, points: drawn, errors: errors) }
            let means = stride(from: 0, to: drawn.count, by: width).map { start in
                let part = drawn[start..<min(start + width, drawn.count)]
                let count = Double(part.count)
                return (x: part.reduce(0) { $0 + $1.x } / count, y: part.reduce(0) { $0 + $1.y } / count)
            }
            return Series(name: name, points: means)
        }
    }

    let title: String
    let caption: String
    let xLabel: String
    let yLabel: String
    let series: [Series]
    /// Given where several charts have one axis.
    var y: Axis?
    /// For each point, the series that is marked in the strip below.
    var marked: [(x: Double, series: Int)] = []

    /// The figure; empty where no series has a point.
    var html: String {
        let lines = series.map(\.thinned)
        let points = lines.flatMap(\.points)
        guard !points.isEmpty else { return "" }
        let ends = lines.flatMap { line in
            zip(line.points, line.errors).flatMap { [$0.y - $1, $0.y + $1] }
        }
        let isCounted = series.allSatisfy { $0.points.allSatisfy { $0.x == $0.x.rounded() } }
        let x = Axis(points.map(\.x), ticks: isCounted && points.count < 9 ? points.count : 5, integers: isCounted)
        let frame = Frame(x: x, y: y ?? Axis(points.map(\.y) + ends))
        var drawing = frame.grid(xLabel, yLabel) + strip(frame)
        for (index, line) in lines.enumerated() { drawing += draw(line, seriesClass(index), frame) }
        return figure(
            title,
            caption,
            key: series.count > 1 ? series.map(\.name) : [],
            svg("\(title). \(caption)", height: frame.height, drawing)
        )
    }

    private func draw(_ line: Series, _ style: String, _ frame: Frame) -> String {
        let spots = line.points.map { (decimal(frame.across($0.x), 1), decimal(frame.up($0.y), 1)) }
        var drawing = ""
        if spots.count > 1 {
            let path = spots.map { "\($0.0) \($0.1)" }.joined(separator: "L")
            drawing += "<path class=\"line \(style)\" d=\"M\(path)\"/>"
        }
        for (point, error) in zip(line.points, line.errors) {
            let at = decimal(frame.across(point.x), 1)
            let (low, high) = (decimal(frame.up(point.y - error), 1), decimal(frame.up(point.y + error), 1))
            drawing += "<path class=\"whisker \(style)\" d=\"M\(at) \(low)V\(high)\"/>"
        }
        guard spots.count == 1 || !line.errors.isEmpty else { return drawing }
        for (spot, point) in zip(spots, line.points) {
            drawing += "<circle class=\"dot \(style)\" cx=\"\(spot.0)\" cy=\"\(spot.1)\" r=\"3.5\">"
            drawing += "<title>\(escaped(line.name)): \(decimal(point.y, 4))</title></circle>"
        }
        return drawing
    }

    /// Along the lower end of the plot, the color of the series that is marked from each point on.
    private func strip(_ frame: Frame) -> String {
        var drawing = ""
        var start = marked.startIndex
        while start < marked.endIndex {
            let end = marked[start...].firstIndex { $0.series != marked[start].series } ?? marked.endIndex
            let half = marked.count > 1 ? (marked[1].x - marked[0].x) / 2 : 0.5
            let from = max(frame.left, frame.across(marked[start].x - half))
            let to = min(frame.right, frame.across(marked[end - 1].x + half))
            drawing += "<rect class=\"fill \(seriesClass(marked[start].series))\" x=\"\(decimal(from, 1))\" "
            drawing +=
                "y=\"\(decimal(frame.bottom - 6, 1))\" width=\"\(decimal(max(0.5, to - from), 1))\" height=\"6\"/>"
            start = end
        }
        return drawing
    }
}
