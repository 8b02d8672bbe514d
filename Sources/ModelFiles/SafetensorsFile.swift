package import Failures
import Files
package import Tensors

/// A safetensors file open for reading.
package struct SafetensorsFile: ~Copyable {
    /// What it holds.
    package let header: SafetensorsHeader
    private let file: RegularFile
    private let dataStart: Int

    /// Opens a file and checks its header; nothing else is read.
    ///
    /// - Throws: `Failure` with `missingInput`, `permission`, or `badData` for whatever is no sound safetensors file.
    package init(path: String) throws(Failure) {
        let file = try RegularFile(path: path)
        let headerEnd = try Self.headerEnd(of: file)
        header = try SafetensorsHeader(
            parsing: file.bytes(8..<headerEnd),
            dataBytes: file.size - headerEnd,
            at: path
        )
        dataStart = headerEnd
        self.file = file
    }

    /// The whole file in memory, read as it is touched.
    func map() throws(Failure) -> MappedFile { try file.map() }

    /// A stored F32, BF16 or F16 tensor in place; nil for other types, and where its bytes are not aligned.
    func tensor(_ stored: StoredTensor, in mapped: MappedFile) -> Tensor? {
        let start = dataStart + stored.bytes.lowerBound
        return stored.type.elementType.flatMap { mapped.tensor(at: start, shape: stored.shape, $0) }
    }

    /// The first bytes of a stored tensor, as they are.
    func bytes(of stored: StoredTensor, atMost count: Int) throws(Failure) -> [UInt8] {
        let start = dataStart + stored.bytes.lowerBound
        return try file.bytes(start..<start + min(count, stored.bytes.count))
    }

    /// Where the header ends, from the length that the file starts with.
    private static func headerEnd(of file: borrowing RegularFile) throws(Failure) -> Int {
        guard file.size >= 8 else {
            throw Failure(.badData, "\(file.size) bytes: too short for a safetensors file", at: file.path)
        }
        let start = try file.bytes(0..<8)
        if start.elementsEqual("version ".utf8) {
            throw Failure(.badData, "a Git LFS pointer, not the weights: run 'git lfs pull'", at: file.path)
        }
        let length = start.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(SafetensorsHeader.maximumBytes) else {
            throw Failure(
                .badData,
                "header of \(length) bytes, more than the limit of \(SafetensorsHeader.maximumBytes): "
                    + "no safetensors file?",
                at: file.path
            )
        }
        guard 8 + Int(length) <= file.size else {
            throw Failure(.badData, "header of \(length) bytes in a file of \(file.size)", at: file.path)
        }
        return 8 + Int(length)
    }

    /// Reads a stored tensor into a float32 tensor of as many elements, converting from F16 and BF16.
    ///
    /// - Throws: `Failure(.badData)` where the stored type is another, `Failure(.inputOutput)` where reading fails.
    package func read(_ stored: StoredTensor, into tensor: Tensor) throws(Failure) {
        let count = stored.bytes.count / stored.type.size
        precondition(tensor.count == count, "\(count) stored elements for \(tensor.count)")
        let start = dataStart + stored.bytes.lowerBound
        switch stored.type {
        case .float32:
            try tensor.withMutableSpan { elements throws(Failure) in
                try file.read(into: &elements, at: start)
            }
        case .float16:
            try readHalves(start, into: tensor) { Float(Float16(bitPattern: $0)) }
        case .bfloat16:
            try readHalves(start, into: tensor) { Float(bitPattern: UInt32($0) << 16) }
        default:
            throw Failure(
                .badData,
                "tensor '\(stored.name)' is \(stored.type.rawValue); weights must be F32, F16 or BF16",
                at: file.path
            )
        }
    }

    /// Reads elements `start ..< start + tensor.count` of a stored float32 vector.
    ///
    /// - Throws: `Failure(.badData)` where it is of another type or too short, `Failure(.inputOutput)` where reading
    ///   fails.
    package func read(_ stored: StoredTensor, from start: Int, into tensor: Tensor) throws(Failure) {
        guard stored.type == .float32, start >= 0, start <= stored.bytes.count / 4 - tensor.count else {
            throw Failure(
                .badData,
                "tensor '\(stored.name)' does not hold \(tensor.count) F32 elements from \(start)",
                at: file.path
            )
        }
        let offset = dataStart + stored.bytes.lowerBound + 4 * start
        try tensor.withMutableSpan { elements throws(Failure) in
            try file.read(into: &elements, at: offset)
        }
    }

    /// Reads 16-bit elements, a bounded number at a time.
    private func readHalves(
        _ start: Int,
        into tensor: Tensor,
        convert: (UInt16) -> Float
    ) throws(Failure) {
        var buffer = [UInt16](repeating: 0, count: min(tensor.count, 1 << 20))
        var done = 0
        while done < tensor.count {
            let count = min(buffer.count, tensor.count - done)
            if count < buffer.count {
                buffer.removeLast(buffer.count - count)
            }
            var halves = buffer.mutableSpan
            try file.read(into: &halves, at: start + 2 * done)
            tensor.withMutableSpan { elements in
                for i in 0..<count {
                    elements[done + i] = convert(halves[i])
                }
            }
            done += count
        }
    }
}
