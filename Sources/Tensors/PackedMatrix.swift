import CKernels

/// The right-hand matrix of products with few rows, laid out once for all of them.
///
/// Decoding multiplies a handful of rows by the same weights again and again; a library lays the weights out anew in
/// every call. A row of such a product has the same bits whatever other rows are in the batch, and for any number of
/// threads.
package struct PackedMatrix {
    /// K, the rows.
    package let inner: Int
    /// N, the columns.
    package let columns: Int
    /// What B's elements are.
    package let elementType: ElementType
    private let storage: Tensor

    /// Room for op(B) [K, N], to be filled by `pack`; fp16 is packed as fp32.
    package init(inner: Int, columns: Int, _ elementType: ElementType) {
        self.inner = inner
        self.columns = columns
        self.elementType = elementType
        let packed: ElementType = elementType == .bfloat16 ? .bfloat16 : .float32
        let bytes = ck_packed_bytes(columns, inner, elementType.code)
        storage = Tensor(zeros: [bytes / packed.size], packed)
    }

    /// Lays out B [K, N], or [N, K] where transposed, of the element type of this matrix.
    package func pack(_ b: Tensor, transposed: Bool = false) {
        expect(b, transposed ? [columns, inner] : [inner, columns], "b")
        precondition(b.elementType == elementType, "a \(b.elementType) matrix for panels of \(elementType)")
        unsafe ck_pack(b.bytes, b.elementType.code, transposed ? 1 : 0, columns, inner, storage.bytes)
    }

    fileprivate func multiply(_ a: Tensor, into c: Tensor) {
        let (type, packed) = (a.elementType.code, storage.elementType.code)
        unsafe ck_product_packed(a.shape[0], columns, inner, a.bytes, type, storage.bytes, packed, c.floats)
    }
}

/// C = A·Bᵀ for few rows or few columns: A [M, K] float32 or bfloat16, B [N, K] of any type, C [M, N] float32, sums
/// fp32.
///
/// B is read where it lies, be it in a mapped file. A row of C has the same bits whatever other rows are in the batch,
/// and for any number of threads.
package func multiplyRows(_ a: Tensor, transposed b: Tensor, into c: Tensor) {
    let (rows, inner) = matrix(a, "a")
    let (columns, bInner) = matrix(b, "b")
    precondition(
        inner == bInner && a.elementType != .float16,
        "product of \(a.elementType) [\(rows), \(inner)] and transposed \(b.elementType) [\(columns), \(bInner)]"
    )
    expect(c, [rows, columns], "c")
    guard rows > 0 else { return }
    unsafe ck_product_rows(rows, columns, inner, a.bytes, a.elementType.code, b.bytes, b.elementType.code, c.floats)
}

/// C = A·B for a packed B; A [M, K] float32 or bfloat16, C [M, N] float32, sums fp32.
package func multiply(_ a: Tensor, _ b: PackedMatrix, into c: Tensor) {
    let (rows, inner) = matrix(a, "a")
    precondition(
        inner == b.inner && a.elementType != .float16,
        "product of \(a.elementType) [\(rows), \(inner)] and packed \(b.elementType) [\(b.inner), \(b.columns)]"
    )
    expect(c, [rows, b.columns], "c")
    if rows > 0 { b.multiply(a, into: c) }
}
