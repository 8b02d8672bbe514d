import CKernels

/// y = silu(gate)·up, silu(g) = g·σ(g).
///
/// Shazeer, arXiv 2002.05202, eq. 6.
///
/// gate, up: [N, F] float32; y: [N, F] of either type.
package func swigluForward(gate: Tensor, up: Tensor, into y: Tensor) {
    expect(up, gate.shape, "up")
    expect(y, gate.shape, "y")
    unsafe ck_swiglu_forward(gate.floats, up.floats, gate.count, y.bytes, y.elementType.code)
}

/// The gradients of gate and up (overwritten, both of one type) from dy [N, F] float32.
package func swigluBackward(gate: Tensor, up: Tensor, dy: Tensor, dGate: Tensor, dUp: Tensor) {
    expect(up, gate.shape, "up")
    expect(dy, gate.shape, "dy")
    expect(dGate, gate.shape, "dGate")
    expect(dUp, gate.shape, "dUp")
    precondition(dGate.elementType == dUp.elementType, "dGate is \(dGate.elementType), dUp \(dUp.elementType)")
    unsafe ck_swiglu_backward(
        gate.floats,
        up.floats,
        dy.floats,
        gate.count,
        dGate.bytes,
        dUp.bytes,
        dGate.elementType.code
    )
}
