import CKernels

/// out[i] = x[rows[i]].
///
/// x: [N, D], out: [R, D]; either type, converting where they differ.
package func gatherRows(_ x: Tensor, _ rows: [Int32], into out: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(out, [rows.count, d], "out")
    expect(rows, below: n, "rows")
    unsafe ck_gather_rows(x.bytes, x.elementType.code, rows, rows.count, d, out.bytes, out.elementType.code)
}

/// out[rows[i]] += x[i].
///
/// x: [R, D], out: [N, D] float32; rows distinct.
package func scatterAddRows(_ x: Tensor, _ rows: [Int32], into out: Tensor) {
    let (n, d) = matrix(out, "out")
    expect(x, [rows.count, d], "x")
    expect(rows, below: n, "rows")
    unsafe ck_scatter_add_rows(x.floats, rows, rows.count, d, out.floats)
}
