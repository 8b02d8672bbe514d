import Failures
import Foundation
import StrictJSON

/// The folder `tensorboard/` of a run: an event file for each part of `metrics.jsonl`, with one event a line.
struct EventFolder {
    let path: String

    /// Adds the event of a line; one whose part has no name for a folder is left out.
    func write(_ line: JSONFields, _ illustrations: Illustrations) throws(Failure) {
        guard let part = try folder(of: line) else { return }
        try file(of: part).append([event(of: line, illustrations)])
    }

    /// Makes the files have an event for each line of a metrics file and no others.
    ///
    /// Events that are there keep their times and illustrations; those that are missing are made from the lines.
    func match(_ metrics: String) throws {
        var lines: [String: [JSONFields]] = [:]
        try forEachJSONLine(in: readBytes(ofFile: metrics), file: metrics) { number, result in
            // A line that a killed run left unfinished is cut soon.
            guard let value = try? result.get(), let line = try? JSONFields(value, at: "\(metrics):\(number)"),
                let part = try? folder(of: line)
            else { return }
            lines[part, default: []].append(line)
        }
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        for relative in found where relative.hasSuffix("/\(EventFile.name)") {
            let part = String(relative.dropLast(EventFile.name.count + 1))
            if lines[part] == nil { try EventFile(path: "\(path)/\(relative)").remove() }
        }
        for (part, own) in lines {
            let kept = try file(of: part).keep(own.count)
            try file(of: part).append(
                own.dropFirst(kept).map { line throws(Failure) in try event(of: line, Illustrations()) }
            )
        }
    }

    private func file(of part: String) -> EventFile { EventFile(path: "\(path)/\(part)/\(EventFile.name)") }

    /// `policy/maxmin`; nil where the names cannot be those of folders.
    private func folder(of line: JSONFields) throws(Failure) -> String? {
        let names = [try line.string("stage"), try MetricsTable.part(of: line)].filter { !$0.isEmpty }
        let isSafe = names.allSatisfy { $0.utf8.allSatisfy { isFolderLetter($0) } }
        return isSafe && !names.isEmpty ? names.joined(separator: "/") : nil
    }

    private func event(of line: JSONFields, _ illustrations: Illustrations) throws(Failure) -> SummaryEvent {
        SummaryEvent(
            wallTime: Date().timeIntervalSince1970,
            step: try line.int("step"),
            scalars: line.scalars,
            illustrations: illustrations
        )
    }
}

private func isFolderLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "-")
}
