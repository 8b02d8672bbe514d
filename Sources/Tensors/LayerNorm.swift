import CKernels

/// y = (x − mean)·rstd·gain + bias per row.
///
/// Ba et al., arXiv 1607.06450, eq. 4.
/// x: [N, D] float32; y: [N, D] of either type; mean, rstd: [N], kept for the backward pass.
package func layerNormForward(
    x: Tensor,
    gain: Tensor,
    bias: Tensor,
    epsilon: Float,
    into y: Tensor,
    mean: Tensor,
    rstd: Tensor
) {
    let (n, d) = matrix(x, "x")
    expect(y, [n, d], "y")
    expect(gain, count: d, "gain")
    expect(bias, count: d, "bias")
    expect(mean, count: n, "mean")
    expect(rstd, count: n, "rstd")
    unsafe ck_layer_norm_forward(
        x.floats,
        gain.floats,
        bias.floats,
        epsilon,
        n,
        d,
        y.bytes,
        y.elementType.code,
        mean.floats,
        rstd.floats
    )
}

/// dx (accumulates), gain and bias gradients (accumulate; both nil: not wanted) from dy [N, D] float32.
package func layerNormBackward(
    dy: Tensor,
    x: Tensor,
    gain: Tensor,
    mean: Tensor,
    rstd: Tensor,
    dx: Tensor,
    gainGradient: Tensor?,
    biasGradient: Tensor?
) {
    let (n, d) = matrix(x, "x")
    expect(dy, [n, d], "dy")
    expect(dx, [n, d], "dx")
    expect(gain, count: d, "gain")
    expect(mean, count: n, "mean")
    expect(rstd, count: n, "rstd")
    precondition((gainGradient == nil) == (biasGradient == nil), "the gradients of gain and bias go together")
    if let gainGradient { expect(gainGradient, count: d, "gainGradient") }
    if let biasGradient { expect(biasGradient, count: d, "biasGradient") }
    unsafe ck_layer_norm_backward(
        dy.floats,
        x.floats,
        gain.floats,
        mean.floats,
        rstd.floats,
        n,
        d,
        dx.floats,
        gainGradient?.floats,
        biasGradient?.floats
    )
}
