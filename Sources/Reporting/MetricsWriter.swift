package import Failures
import Foundation
package import StrictJSON

/// Writes `metrics.jsonl`: one JSON object a line, in the file as soon as it is written; and the same for TensorBoard.
package final class MetricsWriter {
    private let file: FileHandle?
    private let path: String
    private let events: EventFolder?

    /// Opens a file to write behind what it holds, and creates it where there is none; nil writes nothing (all ranks
    /// but the root).
    ///
    /// - Parameter tensorBoard: the folder of event files, which are made to hold what the file holds; nil: none.
    ///
    /// Throws a `Failure` where the file cannot be created or written to.
    package init(appendingTo path: String?, tensorBoard: String? = nil) throws {
        self.path = path ?? ""
        events = path == nil ? nil : tensorBoard.map(EventFolder.init)
        guard let path else {
            file = nil
            return
        }
        if !FileManager.default.fileExists(atPath: path), !FileManager.default.createFile(atPath: path, contents: nil) {
            throw Failure(.cannotCreate, "cannot create the file; is its folder there and writable?", at: path)
        }
        guard let file = FileHandle(forWritingAtPath: path) else {
            throw Failure(.permission, "cannot be opened for writing", at: path)
        }
        self.file = file
        do {
            try file.seekToEnd()
        } catch {
            throw Failure(.inputOutput, "cannot be written to: \(error.localizedDescription)", at: path)
        }
        try events?.match(path)
    }

    /// Appends a line with `stage`, `step`, `seconds` (what the step took) and the step's figures, in their order.
    ///
    /// Figures that are not finite become `null`; `illustrations` are for TensorBoard alone. Throws a `Failure` where
    /// the line cannot be written, as on a full disk.
    package func write(
        stage: String,
        step: Int,
        seconds: Double,
        _ figures: JSONObject,
        illustrations: Illustrations = Illustrations()
    ) throws(Failure) {
        guard let file else { return }
        var line = JSONObject()
        line["stage"] = .string(stage)
        line["step"] = .integer(step)
        // The system's clock may have been set back.
        line["seconds"] = .number(max(0, seconds))
        for (key, value) in figures.members {
            precondition(line[key] == nil, "the figure \(key) is there already")
            line[key] = value
        }
        do {
            try file.write(contentsOf: Data((JSONValue.object(line).encoded() + "\n").utf8))
        } catch {
            throw Failure(.inputOutput, "cannot be written to: \(error.localizedDescription)", at: path)
        }
        try events?.write(JSONFields(.object(line), at: path), illustrations)
    }

    /// Puts on the disk what was written so far; gives the length of the file (0 where nothing is written).
    package func synchronize() throws(Failure) -> Int {
        guard let file else { return 0 }
        do {
            try file.synchronize()
            return Int(try file.offset())
        } catch {
            throw Failure(.inputOutput, "cannot be synced: \(error.localizedDescription)", at: path)
        }
    }

    /// Cuts the file to the length that it had when a checkpoint was taken: later steps are done again.
    ///
    /// A file that is shorter (someone removed it) stays as it is.
    package func cut(to length: Int) throws {
        guard let file else { return }
        do {
            guard try file.seekToEnd() > UInt64(length) else { return }
            try file.truncate(atOffset: UInt64(length))
            try file.seekToEnd()
        } catch {
            throw Failure(.inputOutput, "cannot be cut to \(length) bytes: \(error.localizedDescription)", at: path)
        }
        try events?.match(path)
    }
}
