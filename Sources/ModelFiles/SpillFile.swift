package import Failures
import Files
import Foundation
package import Tensors

/// A file for tensors that memory has no room for.
///
/// It has no name: the system frees it with the process, however that ends.
///
/// Each tensor has a checksum, which is compared when it is read.
package final class SpillFile {
    private let folder: String
    private let descriptor: Int32
    private let reader: RegularFile
    private var size = 0
    private var written: [(offset: Int, checksum: UInt64)] = []

    /// Makes the file on the file system of a folder.
    ///
    /// - Throws: `Failure` 73, or 77 without permission.
    package init(in folder: String) throws(Failure) {
        let path = "\(folder)/.spill\(AtomicFile.temporaryMark)\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw writingFailure(
                errno,
                "a file for what memory has no room for cannot be created",
                otherwise: .cannotCreate,
                path: folder
            )
        }
        defer { unsafe unlink(path) }
        self.folder = folder
        self.descriptor = descriptor
        reader = try RegularFile(path: path)
    }

    deinit {
        close(descriptor)
    }

    /// Writes a tensor; returns its number.
    ///
    /// - Throws: `Failure` 74, as with a full disk.
    package func append(_ tensor: Tensor) throws(Failure) -> Int {
        var checksum = Checksum()
        let number = tensor.withMutableBytes { bytes in
            checksum.add(bytes.span)
            return ModelFiles.append(bytes.span, to: descriptor)
        }
        guard number == 0 else {
            throw writingFailure(number, "what memory has no room for cannot be written", path: folder)
        }
        written.append((size, checksum.value))
        size += checksum.count
        return written.count - 1
    }

    /// Reads the tensor of that number into one of the same shape and type.
    ///
    /// - Throws: `Failure` 74 where it cannot be read, or is not what was written.
    package func read(_ number: Int, into tensor: Tensor) throws(Failure) {
        let (offset, expected) = written[number]
        var checksum = Checksum()
        try tensor.withMutableBytes { bytes throws(Failure) in
            try reader.read(into: &bytes, at: offset)
            checksum.add(bytes.span)
        }
        guard checksum.value == expected else {
            throw Failure(.inputOutput, "what was kept there for want of memory is not what was written", at: folder)
        }
    }
}
