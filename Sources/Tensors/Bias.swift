internal import CKernels

/// x += bias on every row, in place.
///
/// x: [N, D] float32.
public func addBias(_ bias: Tensor, to x: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(bias, count: d, "bias")
    unsafe ck_add_bias(bias.floats, n, d, x.floats)
}

/// residual += x + bias on every row.
///
/// All [N, D] float32.
public func addResidual(_ x: Tensor, bias: Tensor, to residual: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(residual, [n, d], "residual")
    expect(bias, count: d, "bias")
    unsafe ck_add_residual(x.floats, bias.floats, n, d, residual.floats)
}

/// biasGradient += Σ over rows of dy.
///
/// dy: [N, D] float32. The same bits for any number of threads.
public func biasBackward(dy: Tensor, biasGradient: Tensor) {
    let (n, d) = matrix(dy, "dy")
    expect(biasGradient, count: d, "biasGradient")
    unsafe ck_bias_backward(dy.floats, n, d, biasGradient.floats)
}
