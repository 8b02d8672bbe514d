package import Failures
import Glibc

/// A regular file open for reading at offsets: the one way in which this program opens what a person names.
///
/// Reading is by `pread`, so a file that shrinks meanwhile is an error, not a signal as with a mapped file.
package struct RegularFile: ~Copyable {
    /// As it was given, for messages.
    package let path: String
    /// Bytes when it was opened.
    package let size: Int
    /// The open file, for who maps it; closed with this value.
    package let descriptor: Int32

    /// Opens a file; a FIFO, directory or device is refused without waiting for it.
    ///
    /// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no regular file.
    package init(path: String) throws(Failure) {
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

    /// The bytes of a range.
    ///
    /// - Throws: `Failure` 74 where they cannot be read, or where the file ends before them.
    package func bytes(_ range: Range<Int>) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var span = bytes.mutableSpan
        try read(into: &span, at: range.lowerBound)
        return bytes
    }

    /// The next bytes from `offset` on, at most `count`; none at the end of the file.
    ///
    /// - Throws: `Failure` 74 where they cannot be read.
    package func bytes(from offset: Int, atMost count: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let path = path
        let descriptor = descriptor
        let read = unsafe bytes.withUnsafeMutableBytes { buffer in
            repeating { unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
        guard read >= 0 else { throw Failure(.inputOutput, "cannot be read: \(errorText(errno))", at: path) }
        bytes.removeLast(count - read)
        return bytes
    }

    /// All of the file, which may hold more than it said when it was opened: that is how files of `/proc` are.
    ///
    /// - Throws: `Failure` 65 where it has more than `limit` bytes, 74 where it cannot be read.
    package func contents(limit: Int) throws(Failure) -> [UInt8] {
        guard size <= limit else { throw tooLarge("\(size) bytes", limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        while true {
            let block = try self.bytes(from: bytes.count, atMost: max(1 << 16, min(size - bytes.count, 1 << 24)))
            if block.isEmpty { return bytes }
            bytes += block
            guard bytes.count <= limit else { throw tooLarge("more", limit) }
        }
    }

    private func tooLarge(_ found: String, _ limit: Int) -> Failure {
        Failure(.badData, "\(found), more than the limit of \(limit)", at: path)
    }

    /// Fills `elements` from the bytes that start at `offset`, in the machine's byte order (little-endian).
    ///
    /// - Throws: `Failure` 74 where they cannot be read, or where the file ends before them.
    package func read<Element: BitwiseCopyable>(
        into elements: inout MutableSpan<Element>,
        at offset: Int
    ) throws(Failure) {
        let path = path
        let descriptor = descriptor
        let error: Failure? = unsafe elements.withUnsafeMutableBytes { buffer in
            var done = 0
            while done < buffer.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = repeating {
                    unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
                }
                if count < 0 { return Failure(.inputOutput, "cannot be read: \(errorText(errno))", at: path) }
                if count == 0 { return Failure(.inputOutput, "became shorter while it was read", at: path) }
                done += count
            }
            return nil
        }
        if let error { throw error }
    }
}

/// Makes a system call again where a signal cut it short.
package func repeating(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// What opening or reading `path` failed of, with the exit code that belongs to it.
package func openingFailure(_ number: Int32, path: String) -> Failure {
    switch number {
    case ENOENT, ENOTDIR: Failure(.missingInput, "no such file", at: path)
    case EACCES, EPERM: Failure(.permission, "no permission to read", at: path)
    case ELOOP: Failure(.badData, "symbolic links form a loop", at: path)
    case ENAMETOOLONG: Failure(.badData, "file name too long", at: path)
    // A FIFO or socket without anyone at its other end, or a device without its driver.
    case ENXIO, ENODEV: Failure(.badData, "not a regular file", at: path)
    default: Failure(.inputOutput, "cannot be opened: \(errorText(number))", at: path)
    }
}

/// The system's words for an error number.
package func errorText(_ number: Int32) -> String {
    unsafe String(cString: strerror(number))
}
