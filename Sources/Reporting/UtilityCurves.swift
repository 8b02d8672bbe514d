/// Utilities of the groups over the steps of one policy's training, to be drawn.
package struct UtilityCurves: Equatable, Sendable {
    /// The objective.
    package var title: String
    /// Each group's utility F_u, step by step.
    package var groups: [(name: String, values: [Double])]

    /// States what to draw.
    package init(title: String, groups: [(name: String, values: [Double])]) {
        self.title = title
        self.groups = groups
    }

    /// Whether both draw the same.
    package static func == (a: UtilityCurves, b: UtilityCurves) -> Bool {
        a.title == b.title && a.groups.elementsEqual(b.groups) { $0.name == $1.name && $0.values == $1.values }
    }

    /// A line drawing, 640 × 200, one colour a group.
    var svg: String {
        let (width, height, margin) = (640.0, 200.0, 40.0)
        let all = groups.flatMap(\.values).filter(\.isFinite)
        let steps = groups.map(\.values.count).max() ?? 0
        guard steps > 1, let low = all.min(), let high = all.max() else { return "" }
        let span = max(high - low, 1e-9)
        func x(_ step: Int) -> String { decimal(margin + Double(step) / Double(steps - 1) * (width - 2 * margin), 1) }
        func y(_ value: Double) -> String { decimal(height - margin - (value - low) / span * (height - 2 * margin), 1) }
        let colours = ["#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#64473a"]
        var drawing = "<svg width=\"640\" height=\"200\" role=\"img\"><text x=\"40\" y=\"20\">\(escaped(title))</text>"
        drawing += "<text x=\"2\" y=\"\(y(high))\" font-size=\"11\">\(decimal(high, 2))</text>"
        drawing += "<text x=\"2\" y=\"\(y(low))\" font-size=\"11\">\(decimal(low, 2))</text>"
        for (index, group) in groups.enumerated() {
            let colour = colours[index % colours.count]
            let points = group.values.enumerated().filter { $0.element.isFinite }.map {
                "\(x($0.offset)),\(y($0.element))"
            }
            drawing += "<polyline fill=\"none\" stroke=\"\(colour)\" points=\"\(points.joined(separator: " "))\"/>"
            drawing += "<text x=\"\(decimal(160 + 110 * Double(index), 0))\" y=\"20\" fill=\"\(colour)\">"
            drawing += "\(escaped(group.name))</text>"
        }
        return drawing + "</svg>"
    }
}
