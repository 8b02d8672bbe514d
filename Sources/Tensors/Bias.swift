import CKernels

/// x += bias on every row, in place.
///
/// x: [N, D] float32.
package func addBias(_ bias: Tensor, to x: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(bias, count: d, "bias")
    unsafe ck_add_bias(bias.floats, n, d, x.floats)
}

/// y = residual + (x + bias) on every row; y may be the residual itself.
///
/// All [N, D] float32; no bias: zero.
package func addResidual(_ x: Tensor, bias: Tensor?, to residual: Tensor, into y: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(residual, [n, d], "residual")
    expect(y, [n, d], "y")
    if let bias { expect(bias, count: d, "bias") }
    unsafe ck_add_residual(x.floats, bias?.floats, residual.floats, n, d, y.floats)
}

/// biasGradient += Σ over rows of dy.
///
/// dy: [N, D] float32. The same bits for any number of threads.
package func biasBackward(dy: Tensor, biasGradient: Tensor) {
    let (n, d) = matrix(dy, "dy")
    expect(biasGradient, count: d, "biasGradient")
    unsafe ck_bias_backward(dy.floats, n, d, biasGradient.floats)
}
