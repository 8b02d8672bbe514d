import CKernels

/// y = x·rstd·gain per row, rstd = 1/√(mean of x² + ε).
///
/// Zhang & Sennrich, arXiv 1910.07467, eq. 4.
/// x: [N, D] float32; y: [N, D] of either type; rstd: [N], kept for the backward pass.
package func rmsNormForward(x: Tensor, gain: Tensor, epsilon: Float, into y: Tensor, rstd: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(y, [n, d], "y")
    expect(gain, count: d, "gain")
    expect(rstd, count: n, "rstd")
    unsafe ck_rms_norm_forward(x.floats, gain.floats, epsilon, n, d, y.bytes, y.elementType.code, rstd.floats)
}

/// dx (accumulates) and the gain's gradient (accumulates; nil: not wanted) from dy [N, D] float32.
package func rmsNormBackward(dy: Tensor, x: Tensor, gain: Tensor, rstd: Tensor, dx: Tensor, gainGradient: Tensor?) {
    let (n, d) = matrix(x, "x")
    expect(dy, [n, d], "dy")
    expect(dx, [n, d], "dx")
    expect(gain, count: d, "gain")
    expect(rstd, count: n, "rstd")
    if let gainGradient { expect(gainGradient, count: d, "gainGradient") }
    unsafe ck_rms_norm_backward(
        dy.floats,
        x.floats,
        gain.floats,
        rstd.floats,
        n,
        d,
        dx.floats,
        gainGradient?.floats
    )
}
