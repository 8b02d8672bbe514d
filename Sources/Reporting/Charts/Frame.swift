/// The plot area of a chart with two axes, in the units of a drawing 360 wide.
///
/// So narrow a drawing is readable on a telephone, and grows on a wide screen.
struct Frame {
    static let width = 360.0
    let height: Double
    let x: Axis
    let y: Axis
    let left: Double
    let right: Double
    let top = 8.0
    let bottom: Double

    /// A frame for two axes, of a height that holds the labels of the lower one too.
    init(x: Axis, y: Axis, height: Double = 220) {
        self.x = x
        self.y = y
        self.height = height
        // The label of the upright axis stands left of its numbers, and the last number of the other one is centered on
        // the right end.
        left = max(50, 22 + widest(y.ticks.map(y.label)))
        right = Frame.width - max(12, widest(x.ticks.suffix(1).map(x.label)) / 2)
        bottom = height - 36
    }

    func across(_ value: Double) -> Double { x.position(of: value, from: left, to: right) }

    func up(_ value: Double) -> Double { y.position(of: value, from: bottom, to: top) }

    /// Lines of the grid, numbers along both axes, and what these are.
    func grid(_ xLabel: String, _ yLabel: String) -> String {
        var drawing = ""
        for tick in y.ticks {
            let at = decimal(up(tick), 1)
            drawing += "<path class=\"grid\" d=\"M\(decimal(left, 0)) \(at)H\(decimal(right, 0))\"/>"
            drawing += "<text class=\"tick\" x=\"\(decimal(left - 5, 0))\" y=\"\(at)\" dy=\".32em\" "
            drawing += "text-anchor=\"end\">\(y.label(tick))</text>"
        }
        // Numbers that would touch their neighbors are left out, their marks are not.
        let room = (right - left) / Double(max(1, x.ticks.count - 1))
        let every = max(1, Int(((widest(x.ticks.map(x.label)) + 6) / room).rounded(.up)))
        for (index, tick) in x.ticks.enumerated() {
            let at = decimal(across(tick), 1)
            drawing += "<path class=\"axis\" d=\"M\(at) \(decimal(bottom, 0))v4\"/>"
            guard index % every == 0 else { continue }
            drawing += "<text class=\"tick\" x=\"\(at)\" y=\"\(decimal(bottom + 15, 0))\" text-anchor=\"middle\">"
            drawing += "\(x.label(tick))</text>"
        }
        drawing += "<path class=\"axis\" d=\"M\(decimal(left, 0)) \(decimal(bottom, 0))H\(decimal(right, 0))\"/>"
        let middle = (left + right) / 2
        drawing += "<text class=\"label\" x=\"\(decimal(middle, 0))\" y=\"\(decimal(height - 4, 0))\" "
        drawing += "text-anchor=\"middle\">\(escaped(xLabel))</text>"
        let center = decimal((top + bottom) / 2, 0)
        drawing += "<text class=\"label\" transform=\"translate(9 \(center)) rotate(-90)\" text-anchor=\"middle\">"
        return drawing + "\(escaped(yLabel))</text>"
    }
}

/// How wide the longest of some numbers is: a digit is about 6.
private func widest(_ labels: some Sequence<String>) -> Double { 6.2 * Double(labels.map(\.count).max() ?? 0) }

/// A drawing in the page's own coordinates, with its title for those who do not see it.
func svg(_ title: String, height: Double, width: Double = Frame.width, _ content: String) -> String {
    "<svg viewBox=\"0 0 \(decimal(width, 0)) \(decimal(height, 0))\" role=\"img\" aria-label=\"\(escaped(title))\">"
        + "\(content)</svg>"
}

/// The style of the n-th series: eight colors that color-blind readers tell apart, each with a dash of its own.
func seriesClass(_ index: Int) -> String { "s\(index % 8)" }

/// A chart with its title, what is seen in it, and its key.
func figure(_ title: String, _ caption: String, key: [String] = [], _ drawing: String) -> String {
    let entries = key.enumerated().map { index, name in
        "<span><svg class=\"sample\" viewBox=\"0 0 22 10\" aria-hidden=\"true\">"
            + "<path class=\"line \(seriesClass(index))\" d=\"M0 5H22\"/></svg>\(escaped(name))</span>"
    }
    let legend = entries.isEmpty ? "" : "<p class=\"key\">\(entries.joined(separator: " "))</p>"
    return "<figure><figcaption><strong>\(escaped(title))</strong> \(escaped(caption))</figcaption>"
        + "\(legend)\(drawing)</figure>\n"
}
