package import Failures
package import StrictJSON

/// The lines of `metrics.jsonl`, by what they are of: a fit of the stage `reward`, a policy, or a stage as a whole.
package struct MetricsTable {
    /// Lines of one kind, in their order.
    package struct Part {
        /// The stage.
        package let stage: String
        /// The fit or the objective; empty where the stage has one part.
        package let name: String
        /// The figures.
        package fileprivate(set) var lines: [JSONFields]
    }

    /// In the order of their first lines.
    package private(set) var parts: [Part] = []

    /// Without lines.
    package init() {}

    /// Reads a file; a last line that is not finished is left out, since a run may be writing it.
    ///
    /// - Throws: `Failure` naming the line that is not JSON or lacks its stage.
    package init(contentsOfFile path: String) throws {
        let bytes = try readBytes(ofFile: path)
        let finished = bytes.prefix((bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)
        try forEachJSONLine(in: Array(finished), file: path) { line, result in
            try add(try JSONFields(result.get(), at: "\(path):\(line)"))
        }
    }

    /// Puts a line with its like.
    package mutating func add(_ line: JSONFields) throws(Failure) {
        let stage = try line.string("stage")
        let name = try MetricsTable.part(of: line)
        if let index = parts.firstIndex(where: { $0.stage == stage && $0.name == name }) {
            parts[index].lines.append(line)
        } else {
            parts.append(Part(stage: stage, name: name, lines: [line]))
        }
    }

    /// What a line is of within its stage: the objective, or the fit with the number of groups and the start.
    package static func part(of line: JSONFields) throws(Failure) -> String {
        if let objective = try line.optionalString("objective") { return objective }
        guard let fit = try line.optionalString("fit") else { return "" }
        let groups = try line.optionalArray("group_sizes").map { "-of-\($0.count)" } ?? ""
        let restart = try line.optionalInt("restart", in: 0...1_000_000) ?? 0
        return fit + groups + (restart == 0 ? "" : "-start-\(restart + 1)")
    }

    /// The parts of a stage.
    package func parts(of stage: String) -> [Part] { parts.filter { $0.stage == stage } }
}

extension MetricsTable.Part {
    /// A figure over the steps; lines without it, or with null, are left out.
    func series(_ key: String) throws(Failure) -> [(x: Double, y: Double)] {
        var points: [(x: Double, y: Double)] = []
        for line in lines {
            guard let value = try line.optionalDouble(key) else { continue }
            points.append((Double(try line.int("step")), value))
        }
        return points
    }

    /// The figures of an object over the steps, by its keys.
    func series(within key: String, leavingOut hidden: [String] = []) throws(Failure) -> [LineChart.Series] {
        let names = try lines.first?.optionalFields(key)?.object.keys.filter { !hidden.contains($0) } ?? []
        var all: [LineChart.Series] = []
        for name in names {
            var points: [(x: Double, y: Double)] = []
            for line in lines {
                guard let value = try line.optionalFields(key)?.optionalDouble(name) else { continue }
                points.append((Double(try line.int("step")), value))
            }
            all.append(LineChart.Series(name: name, points: points))
        }
        return all
    }
}
