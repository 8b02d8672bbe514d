import CZlib
import Failures

/// Decompresses a gzip file (RFC 1952): its members, one after another, each checked by its CRC-32 and length.
@safe final class GzipDecoder {
    private static let outputBytes = 1 << 16
    /// Bytes from which on a text must not be so many times as long as what it was compressed to.
    private static let freeBytes = 256 << 20
    private static let largestRatio = 200

    private let path: String
    /// zlib remembers where it lies, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var output = [UInt8](repeating: 0, count: outputBytes)
    /// Compressed bytes taken, and bytes they became.
    private var consumed = 0
    private var produced = 0
    private let freeBytes: Int
    /// Whether a member has begun and not ended.
    private var isInsideMember = false

    init(path: String, freeBytes: Int = GzipDecoder.freeBytes) {
        self.path = path
        self.freeBytes = freeBytes
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15: the largest window; 16 more: gzip's header and trailer.
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let code = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, size)
        precondition(code == Z_OK, "zlib refuses to start: \(code)")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// What the next compressed bytes become.
    ///
    /// - Throws: `Failure` 65 where they are damaged, or become far more than text does.
    func decode(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        var decoded: [UInt8] = []
        var position = 0
        // zlib may hold back more than fitted into the output.
        var isFull = false
        while position < bytes.count || isFull {
            if !isInsideMember {
                // Archives on tape end in zeros.
                if consumed > 0, bytes[position] == 0 {
                    position += 1
                    consumed += 1
                    continue
                }
                isInsideMember = true
            }
            let (code, taken, given) = inflate(bytes[position...])
            position += taken
            consumed += taken
            produced += given
            decoded += output[..<given]
            isFull = given == output.count && code != Z_STREAM_END
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
                throw Failure(.badData, "\(problem) at byte \(consumed); copy or download it again", at: path)
            }
            guard produced <= max(freeBytes, Self.largestRatio * consumed) else {
                let message = "becomes more than \(Self.largestRatio) times as long when it is decompressed"
                throw Failure(.badData, "\(message); that is no text (gunzip it first if it is)", at: path)
            }
            if code == Z_STREAM_END {
                isInsideMember = false
                unsafe inflateReset(stream)
            }
        }
        return decoded
    }

    /// Checks that the last member has ended with the file.
    ///
    /// - Throws: `Failure` 65 where the file was cut.
    func finish() throws(Failure) {
        guard !isInsideMember else {
            throw Failure(.badData, "compressed data ends too early; copy or download the file again", at: path)
        }
    }

    /// One call of zlib: its code, the bytes that it took, and those that it gave.
    private func inflate(_ bytes: ArraySlice<UInt8>) -> (code: Int32, taken: Int, given: Int) {
        // zlib does not write to its input; its C declaration only lacks the const.
        var input = Array(bytes)
        return unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.pointee.next_in = input.baseAddress
                unsafe stream.pointee.avail_in = UInt32(input.count)
                unsafe stream.pointee.next_out = output.baseAddress
                unsafe stream.pointee.avail_out = UInt32(output.count)
                let code = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                let taken = unsafe input.count - Int(stream.pointee.avail_in)
                let given = unsafe output.count - Int(stream.pointee.avail_out)
                return (code, taken, given)
            }
        }
    }

    private var problem: String {
        let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "no gzip"
        return "compressed data is damaged (\(reason))"
    }
}
