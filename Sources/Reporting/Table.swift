import Failures
import Foundation

/// A table for people: columns aligned, units in the header.
package struct Table: Equatable, Sendable {
    /// Column heads; a unit belongs in its head, as `KL (nats)`.
    package private(set) var header: [String]
    /// Cells, row by row, as many as heads.
    package private(set) var rows: [[String]] = []

    /// An empty table.
    package init(_ header: [String]) {
        self.header = header.map { printable($0) }
    }

    /// Adds a row.
    package mutating func add(_ cells: [String]) {
        precondition(cells.count == header.count, "\(cells.count) cells under \(header.count) heads")
        rows.append(cells.map { printable($0) })
    }

    /// The lines of the table: the head, a rule, and the rows; text to the left, numbers to the right.
    package var text: String {
        let columns = header.indices
        let isNumeric = columns.map { column in
            !rows.isEmpty && rows.allSatisfy { $0[column].isEmpty || looksNumeric($0[column]) }
        }
        let widths = columns.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let padded = columns.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return isNumeric[column] ? space + cells[column] : cells[column] + space
            }
            return trimmedRight(padded.joined(separator: "  "))
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([line(header), rule] + rows.map(line)).map { $0 + "\n" }.joined()
    }
}

/// Whether a cell is a figure: it starts like a number, as `0.72 [0.68, 0.76]`, `-3`, `71 %` or a dash for none.
private func looksNumeric(_ cell: String) -> Bool {
    cell == "–" || cell.first.map { $0.isNumber || "+-.".contains($0) } ?? true
}

private func trimmedRight(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
}

extension BinaryFloatingPoint {
    /// The number with this many decimals, whatever the locale.
    package func formatted(decimals: Int) -> String { String(format: "%.\(decimals)f", Double(self)) }
}
