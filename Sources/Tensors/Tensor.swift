import CKernels

/// The element types that tensors hold.
package enum ElementType: Sendable {
    case float32
    case bfloat16
    /// Of weights as a file has them: read, never written.
    case float16

    /// Bytes of one element.
    package var size: Int { self == .float32 ? 4 : 2 }
}

/// A contiguous row-major array of up to four dimensions: a view of shared, 64-byte aligned storage.
///
/// Copies share storage, as slices do; kernels write through them. Not `Sendable`.
package struct Tensor {
    /// Lengths of the dimensions, outermost first.
    package let shape: [Int]
    /// What the elements are.
    package let elementType: ElementType
    /// How many elements there are.
    package let count: Int

    private let storage: Storage
    /// Index of the first element in the storage.
    private let offset: Int

    init(storage: Storage, offset: Int, shape: [Int], elementType: ElementType) {
        precondition(shape.count <= 4 && shape.allSatisfy { $0 >= 0 }, "not a tensor's shape: \(shape)")
        self.shape = shape
        self.elementType = elementType
        self.count = shape.reduce(1, *)
        self.storage = storage
        self.offset = offset
    }

    /// A tensor of zeros with storage of its own.
    package init(zeros shape: [Int], _ elementType: ElementType = .float32) {
        let storage = Storage(bytes: shape.reduce(1, *) * elementType.size)
        self.init(storage: storage, offset: 0, shape: shape, elementType: elementType)
    }

    /// A float32 tensor holding `values`.
    package init(_ values: [Float], shape: [Int]) {
        self.init(zeros: shape)
        copy(from: values)
    }

    /// Whether both begin at the same element of the same memory.
    package func sharesStart(with other: Tensor) -> Bool { storage === other.storage && offset == other.offset }

    /// The first `count` elements along the outermost dimension from `start`: a view.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(!shape.isEmpty, "a tensor without dimensions has no rows")
        precondition(
            range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) of a tensor with \(shape[0]) rows"
        )
        let row = shape.dropFirst().reduce(1, *)
        return Tensor(
            storage: storage,
            offset: offset + range.lowerBound * row,
            shape: [range.count] + shape.dropFirst(),
            elementType: elementType
        )
    }

    /// `shape.product` elements from flat index `offset`, seen with another shape: a view.
    package func view(at offset: Int, shape: [Int]) -> Tensor {
        let view = Tensor(storage: storage, offset: self.offset + offset, shape: shape, elementType: elementType)
        precondition(
            offset >= 0 && offset + view.count <= count,
            "a view of \(view.count) elements from \(offset) in a tensor of \(count)"
        )
        return view
    }

    /// The elements as float32, copied.
    package func array() -> [Float] {
        guard elementType == .float32 else {
            let converted = Tensor(zeros: shape)
            converted.copy(from: self)
            return converted.array()
        }
        return unsafe [Float](UnsafeBufferPointer(start: floats, count: count))
    }

    /// Element at a flat index of a float32 tensor.
    package subscript(_ index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "element \(index) of a tensor of \(count)")
            return unsafe floats[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "element \(index) of a tensor of \(count)")
            unsafe floats[index] = newValue
        }
    }

    /// Copies `values` into a float32 tensor.
    package func copy(from values: [Float]) {
        precondition(values.count == count, "\(values.count) values for a tensor of shape \(shape)")
        unsafe ck_convert(values, Int32(CK_FLOAT32), floats, Int32(CK_FLOAT32), count)
    }

    /// Lends the elements of a float32 tensor.
    package func withMutableSpan<R, E: Error>(_ body: (inout MutableSpan<Float>) throws(E) -> R) throws(E) -> R {
        var span = unsafe MutableSpan(_unsafeStart: floats, count: count)
        return try body(&span)
    }

    /// Lends the elements of either type as bytes.
    package func withMutableBytes<R, E: Error>(_ body: (inout MutableSpan<UInt8>) throws(E) -> R) throws(E) -> R {
        let start = unsafe bytes.assumingMemoryBound(to: UInt8.self)
        var span = unsafe MutableSpan(_unsafeStart: start, count: count * elementType.size)
        return try body(&span)
    }

    /// The elements of a float32 tensor, for kernels.
    @unsafe var floats: UnsafeMutablePointer<Float> {
        precondition(
            elementType == .float32,
            "a float32 tensor is needed; this one of shape \(shape) is \(elementType)"
        )
        return unsafe storage.base.assumingMemoryBound(to: Float.self) + offset
    }

    /// The elements of a bfloat16 tensor as bit patterns, for kernels.
    @unsafe var halves: UnsafeMutablePointer<UInt16> {
        precondition(
            elementType == .bfloat16,
            "a bfloat16 tensor is needed; this one of shape \(shape) is \(elementType)"
        )
        return unsafe storage.base.assumingMemoryBound(to: UInt16.self) + offset
    }

    /// The elements of either type, for kernels that are told it.
    @unsafe var bytes: UnsafeMutableRawPointer { unsafe storage.base + offset * elementType.size }
}
