/// The element types that tensors hold.
public enum ElementType: Sendable {
    case float32
    case bfloat16
}

/// A contiguous row-major array of up to four dimensions: a view of shared, 64-byte aligned storage.
///
/// Copies share storage, as slices do; kernels write through them. Not `Sendable`.
public struct Tensor {
    /// Lengths of the dimensions, outermost first.
    public let shape: [Int]
    /// What the elements are.
    public let elementType: ElementType

    /// A tensor of zeros with storage of its own.
    public init(zeros shape: [Int], _ elementType: ElementType = .float32) { fatalError() }
    /// A float32 tensor holding `values`.
    public init(_ values: [Float], shape: [Int]) { fatalError() }

    /// How many elements there are.
    public var count: Int { fatalError() }
    /// The first `count` elements along the outermost dimension from `start`: a view.
    public func rows(_ range: Range<Int>) -> Tensor { fatalError() }
    /// `shape.product` elements from flat index `offset`, seen with another shape: a view.
    public func view(at offset: Int, shape: [Int]) -> Tensor { fatalError() }
    /// The elements as float32, copied.
    public func array() -> [Float] { fatalError() }
    /// Element at a flat index of a float32 tensor.
    public subscript(_ index: Int) -> Float { get { fatalError() } nonmutating set { fatalError() } }
    /// Sets every element to `value`.
    public func fill(_ value: Float) { fatalError() }
    /// Copies the elements of `other`, converting between element types where they differ.
    public func copy(from other: Tensor) { fatalError() }
    /// Copies `values` into a float32 tensor.
    public func copy(from values: [Float]) { fatalError() }
    /// Lends the elements of a float32 tensor.
    public func withMutableSpan<R, E: Error>(_ body: (inout MutableSpan<Float>) throws(E) -> R) throws(E) -> R { fatalError() }
}
