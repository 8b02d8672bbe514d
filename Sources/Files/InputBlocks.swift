package import Failures

/// The bytes of a file, block by block; those of a gzip file decompressed, whatever its name.
package final class InputBlocks {
    private static let blockBytes = 1 << 16

    private let file: RegularFile
    private let decoder: GzipDecoder?
    /// The first block, until it was given.
    private var first: [UInt8]?
    private var bytesRead: Int

    /// Opens a file and looks at its first bytes.
    ///
    /// - Throws: `Failure` 66 where there is no such file, 77 where it may not be read, 65 where it is no regular file.
    package init(path: String) throws(Failure) {
        file = try RegularFile(path: path)
        let block = try file.bytes(from: 0, atMost: Self.blockBytes)
        decoder = block.starts(with: [0x1F, 0x8B]) ? GzipDecoder(path: path) : nil
        first = block
        bytesRead = block.count
    }

    /// How long the text is, where the file is not compressed.
    package var plainSize: Int? { decoder == nil ? file.size : nil }

    /// The next bytes; none at the end.
    ///
    /// - Throws: `Failure` 74 where they cannot be read, 65 where compressed ones are damaged or cut.
    package func next() throws(Failure) -> [UInt8] {
        while true {
            let block = try nextOfFile()
            guard let decoder else { return block }
            guard !block.isEmpty else {
                try decoder.finish()
                return []
            }
            let decoded = try decoder.decode(block)
            if !decoded.isEmpty { return decoded }
        }
    }

    private func nextOfFile() throws(Failure) -> [UInt8] {
        if let block = first {
            first = nil
            return block
        }
        let block = try file.bytes(from: bytesRead, atMost: Self.blockBytes)
        bytesRead += block.count
        return block
    }
}
