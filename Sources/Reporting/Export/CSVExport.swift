package import Failures
import StrictJSON

extension MetricsTable {
    /// The figures of each stage as a CSV file: a row for each line of metrics, a column for each figure.
    ///
    /// Quoted as in RFC 4180; a figure that a line has not, or that is null, is an empty cell.
    ///
    /// - Returns: `STAGE.csv` and its text, in the order of the stages' first lines.
    package func csvFiles() throws(Failure) -> [(name: String, text: String)] {
        let stages = parts.map(\.stage).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        var files: [(name: String, text: String)] = []
        for stage in stages {
            var columns: [String: Int] = [:]
            var header: [String] = []
            var rows: [[Int: String]] = []
            for part in parts(of: stage) {
                for line in part.lines {
                    var row: [Int: String] = [:]
                    let part = ("part", JSONValue.string(part.name))
                    for (name, value) in [part] + flatFigures(line.object, leavingOut: ["stage", "objective", "fit"]) {
                        if columns[name] == nil {
                            columns[name] = header.count
                            header.append(name)
                        }
                        if let column = columns[name] { row[column] = cell(value) }
                    }
                    rows.append(row)
                }
            }
            let lines = rows.map { row in header.indices.map { row[$0] ?? "" }.joined(separator: ",") }
            let text = ([header.map(quoted).joined(separator: ",")] + lines).map { $0 + "\r\n" }.joined()
            files.append(("\(stage).csv", text))
        }
        return files
    }
}

private func cell(_ value: JSONValue) -> String {
    value.isNull ? "" : value.string.map(quoted) ?? value.encoded()
}

private func quoted(_ text: String) -> String {
    let isPlain = !text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
    // By scalars: a combining mark makes another Character of a quote.
    let doubled = text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : String($1) }
    return isPlain ? text : "\"\(doubled)\""
}
