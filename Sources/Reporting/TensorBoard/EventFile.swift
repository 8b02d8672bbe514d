import Failures
import Foundation
import StrictJSON

/// A file of TensorBoard events in TFRecord framing: the version, then one event for each line of metrics.
struct EventFile {
    /// The one name that the files have; TensorBoard looks for `tfevents` in it.
    static let name = "events.out.tfevents"

    let path: String

    /// Appends events, behind the version where the file is new.
    func append(_ events: [SummaryEvent]) throws(Failure) {
        guard let wallTime = events.first?.wallTime else { return }
        do {
            let url = URL(filePath: path)
            var bytes: [UInt8] = []
            if !FileManager.default.fileExists(atPath: path) {
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data().write(to: url)
                bytes = framed(SummaryEvent.version(wallTime: wallTime))
            }
            let file = try FileHandle(forWritingTo: url)
            defer { try? file.close() }
            try file.seekToEnd()
            try file.write(contentsOf: Data(bytes + events.flatMap { framed($0.bytes) }))
        } catch {
            throw Failure(.inputOutput, "cannot be written to: \(error.localizedDescription)", at: path)
        }
    }

    /// Cuts the file to its first `count` events; gives how many it has then: fewer where it had fewer that are whole.
    func keep(_ count: Int) throws(Failure) -> Int {
        guard FileManager.default.fileExists(atPath: path) else { return 0 }
        let bytes = try readBytes(ofFile: path)
        let ends = recordEnds(in: bytes)
        guard count > 0, ends.count > 1 else {
            try remove()
            return 0
        }
        let kept = min(count, ends.count - 1)
        guard ends[kept] < bytes.count else { return kept }
        do {
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            defer { try? file.close() }
            try file.truncate(atOffset: UInt64(ends[kept]))
        } catch {
            throw Failure(.inputOutput, "cannot be cut: \(error.localizedDescription)", at: path)
        }
        return kept
    }

    func remove() throws(Failure) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw Failure(.inputOutput, "cannot be removed: \(error.localizedDescription)", at: path)
        }
    }
}

/// A record: its length with a checksum, and its bytes with theirs.
func framed(_ record: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(record.count))
    return length + littleEndian(maskedCRC32C(length)) + record + littleEndian(maskedCRC32C(record))
}

/// Where each record ends, up to the first that is not whole.
func recordEnds(in bytes: [UInt8]) -> [Int] {
    func integer(at offset: Int, bytes count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
    var ends: [Int] = []
    var start = 0
    while bytes.count - start >= 16 {
        let length = integer(at: start, bytes: 8)
        guard length <= UInt64(bytes.count - start - 16),
            integer(at: start + 8, bytes: 4) == UInt64(maskedCRC32C(bytes[start..<start + 8]))
        else { break }
        let end = start + 12 + Int(length)
        guard integer(at: end, bytes: 4) == UInt64(maskedCRC32C(bytes[start + 12..<end])) else { break }
        start = end + 4
        ends.append(start)
    }
    return ends
}
