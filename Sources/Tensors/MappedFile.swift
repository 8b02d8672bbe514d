/// A file mapped into memory, read-only: its pages are read when they are first touched, and shared by every process
/// that maps it.
///
/// Tensors over it must not be written to, and the file must not shrink while they live: the system would end the
/// process.
package struct MappedFile {
    private let storage: Storage
    private let bytes: Int

    /// Maps the first `bytes` bytes of an open file; nil where the system refuses, as `errno` says.
    package init?(descriptor: Int32, bytes: Int) {
        guard bytes > 0, let storage = Storage(mapping: descriptor, bytes: bytes) else { return nil }
        self.storage = storage
        self.bytes = bytes
    }

    /// Elements from a byte on, in place; nil where that byte is no multiple of the element's size.
    package func tensor(at byte: Int, shape: [Int], _ elementType: ElementType) -> Tensor? {
        let count = shape.reduce(1, *)
        precondition(
            byte >= 0 && byte + count * elementType.size <= bytes,
            "\(count) elements from byte \(byte) of \(bytes)"
        )
        guard byte % elementType.size == 0 else { return nil }
        return Tensor(storage: storage, offset: byte / elementType.size, shape: shape, elementType: elementType)
    }
}
