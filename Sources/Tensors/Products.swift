internal import CKernels

/// Whether this build and this CPU can do bf16 products (trait OneDNN and AVX512-BF16 or AMX for speed).
public enum Precisions {
    /// bf16 products are compiled in.
    public static var hasBFloat16: Bool { ck_bfloat16_compiled() != 0 }
    /// bf16 products are compiled in and the CPU has instructions for them.
    public static var prefersBFloat16: Bool { ck_bfloat16_fast() != 0 }
}

/// C = op(A)·op(B), or C += op(A)·op(B).
///
/// A and B have the same element type (float32: OpenBLAS; bfloat16: oneDNN, trait `OneDNN`), accumulation is fp32 and C
/// float32. op is transposition where asked. A: [M, K] (or [K, M] transposed), B: [K, N] (or [N, K] transposed), C: [M, N].
public func multiply(
    _ a: Tensor,
    transposed transposeA: Bool = false,
    _ b: Tensor,
    transposed transposeB: Bool = false,
    into c: Tensor,
    accumulate: Bool = false
) {
    let (aRows, aColumns) = matrix(a, "a")
    let (bRows, bColumns) = matrix(b, "b")
    let (m, k) = transposeA ? (aColumns, aRows) : (aRows, aColumns)
    let (inner, n) = transposeB ? (bColumns, bRows) : (bRows, bColumns)
    precondition(
        k == inner && a.elementType == b.elementType,
        "product of \(a.elementType) [\(m), \(k)] and \(b.elementType) [\(inner), \(n)]"
    )
    expect(c, [m, n], "c")
    if m == 0 || n == 0 { return }
    if k == 0 {
        if !accumulate { c.fill(0) }
        return
    }
    switch a.elementType {
    case .float32:
        unsafe ck_product_float32(
            m,
            n,
            k,
            a.floats,
            transposeA ? 1 : 0,
            b.floats,
            transposeB ? 1 : 0,
            c.floats,
            accumulate ? 1 : 0
        )
    case .bfloat16:
        precondition(Precisions.hasBFloat16, "this build has no bf16 products: build with the trait OneDNN")
        let status = unsafe ck_product_bfloat16(
            m,
            n,
            k,
            a.halves,
            transposeA ? 1 : 0,
            b.halves,
            transposeB ? 1 : 0,
            c.floats,
            accumulate ? 1 : 0
        )
        precondition(status == 0, "oneDNN status \(status) for the bf16 product [\(m), \(k)] by [\(k), \(n)]")
    }
}
