import CKernels

/// U·V of low rank r, which a product adds to rows of its result.
package struct LowRankUpdate {
    /// Rows of C, M of them.
    package let rows: Range<Int>
    /// [M, r].
    package let u: Tensor
    /// [r, N], or [N, r] transposed.
    package let v: Tensor
    /// Whether V is transposed.
    package let isTransposed: Bool

    /// States an update.
    package init(rows: Range<Int>, u: Tensor, v: Tensor, transposed: Bool) {
        self.rows = rows
        self.u = u
        self.v = v
        isTransposed = transposed
    }

    /// What the kernel takes, for a product that is [rows, columns], of operands of one type.
    @unsafe fileprivate func argument(_ rows: Int, _ columns: Int, _ elementType: ElementType) -> ck_update {
        precondition(self.rows.upperBound <= rows, "an update of rows \(self.rows) of \(rows)")
        let rank = matrix(u, "u").columns
        expect(u, [self.rows.count, rank], "u")
        expect(v, isTransposed ? [columns, rank] : [rank, columns], "v")
        precondition(
            u.elementType == elementType && v.elementType == elementType,
            "an update of \(u.elementType) and \(v.elementType) to a product of \(elementType)"
        )
        return unsafe ck_update(
            begin: self.rows.lowerBound,
            end: self.rows.upperBound,
            rank: rank,
            u: u.bytes,
            v: v.bytes,
            transpose_v: isTransposed ? 1 : 0
        )
    }
}

/// C = op(A)·op(B), or C += op(A)·op(B); then the updates are added to C.
///
/// Operands of bfloat16 go through oneDNN where the CPU has instructions for them (`CPUClass.multipliesBFloat16`); else
/// what is not float32 becomes it, part by part, and goes through OpenBLAS. Sums are fp32 and C float32, with the same
/// bits for any number of threads. op is transposition where asked. A: [M, K] (or [K, M] transposed), B: [K, N] (or [N,
/// K] transposed), C: [M, N]; updates are of A's element type.
package func multiply(
    _ a: Tensor,
    transposed transposeA: Bool = false,
    _ b: Tensor,
    transposed transposeB: Bool = false,
    into c: Tensor,
    accumulate: Bool = false,
    adding updates: [LowRankUpdate] = []
) {
    let (aRows, aColumns) = matrix(a, "a")
    let (bRows, bColumns) = matrix(b, "b")
    let (m, k) = transposeA ? (aColumns, aRows) : (aRows, aColumns)
    let (inner, n) = transposeB ? (bColumns, bRows) : (bRows, bColumns)
    precondition(
        k == inner,
        "product of \(a.elementType) [\(m), \(k)] and \(b.elementType) [\(inner), \(n)]"
    )
    expect(c, [m, n], "c")
    if m == 0 || n == 0 { return }
    if k == 0 {
        precondition(updates.isEmpty, "updates of an empty product")
        if !accumulate { c.fill(0) }
        return
    }
    let arguments = unsafe updates.map { unsafe $0.argument(m, n, a.elementType) }
    let status = unsafe ck_product(
        m,
        n,
        k,
        a.bytes,
        a.elementType.code,
        transposeA ? 1 : 0,
        b.bytes,
        b.elementType.code,
        transposeB ? 1 : 0,
        c.floats,
        accumulate ? 1 : 0,
        arguments,
        arguments.count
    )
    precondition(status == 0, "status \(status) of the \(a.elementType) product [\(m), \(k)] by [\(k), \(n)]")
}
