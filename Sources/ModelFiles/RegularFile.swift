import Failures
import Foundation
import Tensors

/// A regular file open for reading at offsets.
///
/// Reading is by `pread`, so a file that shrinks meanwhile is an error, not a signal as with a mapped file.
struct RegularFile: ~Copyable {
    let path: String
    /// Bytes when it was opened.
    let size: Int
    private let descriptor: Int32

    /// Opens a file; a FIFO, directory or device is refused without waiting for it.
    init(path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw openingFailure(errno, path: path) }
        var status = stat()
        let isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        guard isRegular else {
            close(descriptor)
            throw Failure(.badData, "not a regular file", at: path)
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// The whole file in memory, read as it is touched.
    func map() throws(Failure) -> MappedFile {
        guard let mapped = MappedFile(descriptor: descriptor, bytes: size) else {
            throw Failure(.inputOutput, "cannot be mapped: \(errorText(errno))", at: path)
        }
        return mapped
    }

    /// The bytes of a range.
    func bytes(_ range: Range<Int>) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var span = bytes.mutableSpan
        try read(into: &span, at: range.lowerBound)
        return bytes
    }

    /// Fills `elements` from the bytes that start at `offset`, in the machine's byte order (little-endian).
    func read<Element: BitwiseCopyable>(into elements: inout MutableSpan<Element>, at offset: Int) throws(Failure) {
        let path = path
        let descriptor = descriptor
        let error: Failure? = unsafe elements.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < buffer.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
                if count < 0 && errno == EINTR { continue }
                if count < 0 { return Failure(.inputOutput, "cannot be read: \(errorText(errno))", at: path) }
                if count == 0 { return Failure(.inputOutput, "became shorter while it was read", at: path) }
                done += count
            }
            return nil
        }
        if let error { throw error }
    }
}

/// What opening or reading `path` failed of, with the exit code that belongs to it.
func openingFailure(_ number: Int32, path: String) -> Failure {
    switch number {
    case ENOENT, ENOTDIR: Failure(.missingInput, "no such file", at: path)
    case EACCES, EPERM: Failure(.permission, "no permission to read", at: path)
    case ELOOP: Failure(.badData, "symbolic links form a loop", at: path)
    case ENAMETOOLONG: Failure(.badData, "file name too long", at: path)
    default: Failure(.inputOutput, "cannot be opened: \(errorText(number))", at: path)
    }
}

/// The system's words for an error number.
func errorText(_ number: Int32) -> String {
    unsafe String(cString: strerror(number))
}
