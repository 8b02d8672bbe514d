import CKernels

extension Tensor {
    /// Sets every element to `value`.
    package func fill(_ value: Float) {
        switch elementType {
        case .float32: unsafe ck_fill(floats, value, count)
        case .bfloat16: unsafe ck_fill_bfloat16(halves, value, count)
        case .float16: preconditionFailure("fp16 is read, never written")
        }
    }

    /// Copies the elements of `other`, converting between element types where they differ.
    ///
    /// float32 rounds to bfloat16 to nearest, ties to even.
    package func copy(from other: Tensor) {
        expect(other, count: count, "the source")
        unsafe ck_convert(other.bytes, other.elementType.code, bytes, elementType.code, count)
    }

    /// A tensor with the same elements and storage of its own.
    package func copied() -> Tensor {
        let copy = Tensor(zeros: shape, elementType)
        copy.copy(from: self)
        return copy
    }
}

/// y += scale·x, element by element, float32.
package func addScaled(_ x: Tensor, scale: Float, to y: Tensor) {
    expect(x, count: y.count, "x")
    unsafe ck_add_scaled(x.floats, scale, y.floats, y.count)
}

/// x *= scale, float32.
package func scale(_ x: Tensor, by factor: Float) {
    unsafe ck_scale(x.floats, factor, x.count)
}

/// y ^= x, the bits of elements: what differs between them, and what brings one to the other.
///
/// x is float32; of a y of bfloat16, which is the upper half of a float32, only that half counts.
package func exclusiveOr(_ x: Tensor, into y: Tensor) {
    expect(x, count: y.count, "x")
    switch y.elementType {
    case .float32: unsafe ck_exclusive_or(x.floats, y.floats, y.count)
    case .bfloat16: unsafe ck_exclusive_or_bfloat16(x.floats, y.halves, y.count)
    case .float16: preconditionFailure("fp16 is read, never written")
    }
}

/// Elements of a chunk of `chunkSumsOfSquares`.
package let squaresChunk = Int(CK_SQUARES_CHUNK)

/// Σ x² of each `squaresChunk` elements, accumulated in float64 in a fixed order; not finite where an element is not.
package func chunkSumsOfSquares(_ x: Tensor) -> [Double] {
    let chunks = (x.count + squaresChunk - 1) / squaresChunk
    var sums = [Double](repeating: 0, count: chunks)
    unsafe ck_chunk_sums_of_squares(x.floats, x.count, &sums)
    return sums
}

/// A hash of the elements' bits, for comparing copies of a tensor: any bit that differs changes it, but for one chance
/// in 2⁶⁴.
///
/// The same for any number of threads; no protection against forgers.
package func hash(of x: Tensor) -> UInt64 {
    var hash: UInt64 = 0
    let status = unsafe ck_hash(x.bytes, x.count * x.elementType.size, &hash)
    precondition(status == 0, "no memory to hash \(x.count) elements")
    return hash
}

/// The same hash of bytes.
package func hash(of bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0
    let status = unsafe ck_hash(bytes, bytes.count, &hash)
    precondition(status == 0, "no memory to hash \(bytes.count) bytes")
    return hash
}

/// How many elements are NaN or infinite.
package func nonFiniteCount(_ x: Tensor) -> Int {
    unsafe ck_non_finite_count(x.bytes, x.elementType.code, x.count)
}
