package import Failures
import Files
import Glibc
import Randomness

/// One line of a text, without its line feed.
package struct Line {
    /// Counted from 1.
    package let number: Int
    package let bytes: [UInt8]

    /// Whether there is nothing but spaces, tabs and a carriage return.
    package var isBlank: Bool { bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
}

/// Reads a text line by line, holding no more than one line and one block in memory.
package final class LineReader {
    /// Longest line of any text that is read line by line, unless another limit is asked for.
    package static let maximumLineBytes = 16 << 20
    private static let blockBytes = 1 << 16

    /// The file, or "standard input", for messages.
    package let path: String
    private let maximumLineBytes: Int
    /// Nil: standard input.
    private let file: InputBlocks?
    private var buffer: [UInt8] = []
    /// Where the next line starts in `buffer`.
    private var start = 0
    private var number = 0
    private var reachedEnd = false
    private var hash = FNV1a()

    /// FNV-1a of the bytes read so far, decompressed; of the whole file once `next()` gave nil.
    var contentHash: UInt64 { hash.value }

    /// Opens a regular file, plain or gzip, or for nil standard input, and skips a UTF-8 byte-order mark.
    ///
    /// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no UTF-8 text.
    package init(path: String?, maximumLineBytes: Int = LineReader.maximumLineBytes) throws(Failure) {
        if let path { file = try openText(path) } else { file = nil }
        self.path = path ?? "standard input"
        self.maximumLineBytes = maximumLineBytes
        try readBlock()
        if let reason = reasonNotUTF8Text(buffer, path: path) { throw Failure(.badData, reason, at: path) }
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    }

    /// The next line, or nil at the end of the file; the last line may lack a line feed.
    package func next() throws(Failure) -> Line? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) { return try line(upTo: end, next: end + 1) }
            if reachedEnd {
                return start < buffer.count ? try line(upTo: buffer.count, next: buffer.count) : nil
            }
            guard buffer.count - start <= maximumLineBytes else { throw tooLong() }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            try readBlock()
        }
    }

    private func line(upTo end: Int, next: Int) throws(Failure) -> Line {
        guard end - start <= maximumLineBytes else { throw tooLong() }
        number += 1
        let line = Line(number: number, bytes: Array(buffer[start..<end]))
        start = next
        return line
    }

    private func tooLong() -> Failure {
        Failure(
            .badData,
            "line longer than \(maximumLineBytes >> 20) MiB; is a line break missing?",
            at: "\(path):\(number + 1)"
        )
    }

    private func readBlock() throws(Failure) {
        let block: [UInt8]
        do throws(Failure) {
            if let file { block = try file.next() } else { block = try readStandardInput(atMost: Self.blockBytes) }
        } catch {
            // How far one gets tells how much of a damaged file is lost.
            throw number == 0 ? error : Failure(error.code, error.message, at: "\(path):\(number + 1)")
        }
        hash.add(block)
        buffer.append(contentsOf: block)
        reachedEnd = block.isEmpty
    }
}

/// The next bytes of standard input; none at its end.
private func readStandardInput(atMost count: Int) throws(Failure) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: count)
    let read = unsafe block.withUnsafeMutableBytes { buffer in
        repeating { unsafe Glibc.read(STDIN_FILENO, buffer.baseAddress, buffer.count) }
    }
    guard read >= 0 else {
        throw Failure(.inputOutput, "cannot be read: \(errorText(errno))", at: "standard input")
    }
    block.removeLast(count - read)
    return block
}

/// Refuses what no reader of lines takes: a file that is missing or may not be read, or that does not begin with UTF-8
/// text.
package func requireText(_ path: String) throws(Failure) {
    _ = try LineReader(path: path, maximumLineBytes: .max)
}
