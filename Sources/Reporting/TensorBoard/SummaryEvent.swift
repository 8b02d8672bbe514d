/// How many values fell between limits, for TensorBoard's histograms.
package struct Histogram: Equatable, Sendable {
    /// Upper limits of the bins, rising.
    package var limits: [Double]
    /// Values up to each limit and above the one before.
    package var counts: [Double]
    /// Σ of the values.
    package var sum: Double
    /// Σ of their squares.
    package var squares: Double

    /// States the counts.
    package init(limits: [Double], counts: [Double], sum: Double, squares: Double) {
        precondition(limits.count == counts.count, "\(counts.count) counts for \(limits.count) limits")
        self.limits = limits
        self.counts = counts
        self.sum = sum
        self.squares = squares
    }
}

/// What is shown beside a line of metrics, which `metrics.jsonl` has no room for.
package struct Illustrations {
    /// By name, as `rewards/group-0`.
    package var histograms: [(name: String, histogram: Histogram)] = []
    /// By name, each a table of texts, all rows of one length.
    package var texts: [(name: String, rows: [[String]])] = []

    /// Nothing.
    package init() {}
}

/// One record of an event file: the message `Event` of TensorFlow, with what one step gave.
struct SummaryEvent {
    let wallTime: Double
    let step: Int
    let scalars: [(name: String, value: Double)]
    var illustrations = Illustrations()

    /// The first record of every event file.
    static func version(wallTime: Double) -> [UInt8] {
        var event = ProtobufMessage()
        event.add(1, wallTime)
        event.add(3, "brain.Event:2")
        return event.bytes
    }

    /// The message's bytes.
    var bytes: [UInt8] {
        var summary = ProtobufMessage()
        for (name, value) in scalars {
            var entry = ProtobufMessage()
            entry.add(1, name)
            entry.add(2, Float(value))
            summary.add(1, entry)
        }
        for (name, histogram) in illustrations.histograms { summary.add(1, SummaryEvent.entry(name, histogram)) }
        for (name, rows) in illustrations.texts { summary.add(1, SummaryEvent.entry(name, rows)) }
        var event = ProtobufMessage()
        event.add(1, wallTime)
        event.add(2, UInt64(max(0, step)))
        event.add(5, summary)
        return event.bytes
    }

    private static func entry(_ name: String, _ histogram: Histogram) -> ProtobufMessage {
        let filled = histogram.counts.indices.filter { histogram.counts[$0] > 0 }
        let (first, last) = (filled.first ?? 0, filled.last ?? 0)
        var proto = ProtobufMessage()
        proto.add(1, histogram.limits[max(0, first - 1)])
        proto.add(2, histogram.limits[last])
        proto.add(3, histogram.counts.reduce(0, +))
        proto.add(4, histogram.sum)
        proto.add(5, histogram.squares)
        // An empty bin on the left tells where the first one begins.
        proto.add(6, packed: Array(histogram.limits[max(0, first - 1)...last]))
        proto.add(7, packed: Array(histogram.counts[max(0, first - 1)...last]))
        var entry = ProtobufMessage()
        entry.add(1, name)
        entry.add(5, proto)
        return entry
    }

    /// A tensor of strings, rows × columns, for the plugin "text".
    private static func entry(_ name: String, _ rows: [[String]]) -> ProtobufMessage {
        var shape = ProtobufMessage()
        for size in [rows.count, rows.first?.count ?? 0] {
            var dimension = ProtobufMessage()
            dimension.add(1, UInt64(size))
            shape.add(2, dimension)
        }
        var tensor = ProtobufMessage()
        tensor.add(1, UInt64(7))
        tensor.add(2, shape)
        for text in rows.joined() { tensor.add(8, text) }
        var plugin = ProtobufMessage()
        plugin.add(1, "text")
        var metadata = ProtobufMessage()
        metadata.add(1, plugin)
        metadata.add(4, UInt64(2))
        var entry = ProtobufMessage()
        entry.add(1, name)
        entry.add(8, tensor)
        entry.add(9, metadata)
        return entry
    }
}
