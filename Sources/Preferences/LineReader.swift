public import Failures
import Glibc

/// One line of a file, without its line feed.
struct Line {
    /// Counted from 1.
    let number: Int
    let bytes: [UInt8]

    /// Whether there is nothing but spaces, tabs and a carriage return.
    var isBlank: Bool { bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
}

/// Reads a text file line by line, holding no more than one line and one block in memory.
final class LineReader {
    private static let blockBytes = 1 << 16

    let path: String
    private let maximumLineBytes: Int
    private let file: OpenFile
    private var buffer: [UInt8] = []
    /// Where the next line starts in `buffer`.
    private var start = 0
    private var number = 0
    private var reachedEnd = false
    private var hash = FNV1a()

    /// FNV-1a of the bytes read so far; of the whole file once `next()` gave nil.
    var contentHash: UInt64 { hash.value }

    /// Opens a regular file and skips a UTF-8 byte-order mark.
    ///
    /// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no plain UTF-8 text.
    init(path: String, maximumLineBytes: Int) throws(Failure) {
        file = try OpenFile(path: path)
        self.path = path
        self.maximumLineBytes = maximumLineBytes
        try readBlock()
        if let reason = reasonNotUTF8Text(buffer) { throw Failure(.badData, reason, at: path) }
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
    }

    /// The next line, or nil at the end of the file; the last line may lack a line feed.
    func next() throws(Failure) -> Line? {
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
            "line longer than \(maximumLineBytes >> 20) MiB; write one JSON object a line",
            at: "\(path):\(number + 1)"
        )
    }

    private func readBlock() throws(Failure) {
        let block = try file.read(upTo: Self.blockBytes, path: path)
        hash.add(block)
        buffer.append(contentsOf: block)
        reachedEnd = block.isEmpty
    }
}

/// A regular file open for reading; closed at the end of its life.
private struct OpenFile: ~Copyable {
    private let descriptor: Int32

    init(path: String) throws(Failure) {
        // Non-blocking, so that opening a FIFO does not wait for a writer.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemFailure("cannot open", at: path) }
        var status = stat()
        let examined = unsafe fstat(descriptor, &status) == 0
        guard examined, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Failure(.badData, "not a regular file", at: path)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The next bytes; none at the end of the file.
    func read(upTo limit: Int, path: String) throws(Failure) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: limit)
        var count: Int
        repeat {
            count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw systemFailure("cannot read", at: path) }
        block.removeLast(limit - count)
        return block
    }
}

/// Why a file that starts with these bytes is no UTF-8 text, with the remedy; nil where nothing speaks against it.
private func reasonNotUTF8Text(_ start: [UInt8]) -> String? {
    if start.starts(with: [0x1F, 0x8B]) { return "gzip-compressed; decompress it first (gunzip)" }
    if start.starts(with: Array("PK\u{3}\u{4}".utf8)) { return "a ZIP archive; unpack it first" }
    if start.starts(with: Array("PAR1".utf8)) { return "a Parquet file; convert it to JSON Lines first" }
    if start.starts(with: Array("version https://git-lfs".utf8)) {
        return "a Git LFS pointer; fetch the data with `git lfs pull`"
    }
    let hasMark = start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF])
    if hasMark || start.count >= 2 && (start[0] == 0) != (start[1] == 0) {
        return "UTF-16 text; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"
    }
    return nil
}

/// Refuses what no reader of lines takes: a file that is missing or may not be read, or that does not begin with UTF-8 text.
public func requireText(_ path: String) throws(Failure) {
    _ = try LineReader(path: path, maximumLineBytes: .max)
}

/// The failure of a system call that just set `errno`.
private func systemFailure(_ what: String, at path: String) -> Failure {
    let code = errno
    let reason = unsafe String(cString: strerror(code))
    switch code {
    case ENOENT, ENOTDIR: return Failure(.missingInput, "no such file", at: path)
    case EACCES, EPERM: return Failure(.permission, "\(what): \(reason)", at: path)
    default: return Failure(.inputOutput, "\(what): \(reason)", at: path)
    }
}
