import CKernels

/// x += bias (kept in x for the backward pass), y = gelu_tanh(x) (arXiv 1606.08415).
///
/// x: [N, F] float32, y of either type.
package func geluForward(x: Tensor, bias: Tensor, into y: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(y, [n, d], "y")
    expect(bias, count: d, "bias")
    unsafe ck_gelu_forward(x.floats, bias.floats, n, d, y.bytes, y.elementType.code)
}

/// dy := dy · gelu'(x), in place.
///
/// dy, x: [N, F] float32.
package func geluBackward(x: Tensor, dy: Tensor) {
    let (n, d) = matrix(x, "x")
    expect(dy, [n, d], "dy")
    unsafe ck_gelu_backward(x.floats, n, d, dy.floats, nil, nil)
}

/// dy := dy · gelu'(x) in place, biasGradient += Σ over rows of the result (nil: not wanted), and its bfloat16 copy, in
/// one pass.
///
/// dy, x: [N, F] float32; copy: [N, F] bfloat16, or nil.
package func geluBackward(x: Tensor, dy: Tensor, biasGradient: Tensor?, copy: Tensor?) {
    let (n, d) = matrix(x, "x")
    expect(dy, [n, d], "dy")
    if let biasGradient { expect(biasGradient, count: d, "biasGradient") }
    if let copy { expect(copy, [n, d], "copy") }
    unsafe ck_gelu_backward(x.floats, n, d, dy.floats, biasGradient?.floats, copy?.halves)
}
