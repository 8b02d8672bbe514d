import CKernels

/// Cosines and sines of the angles positions[n]·frequencies[i].
///
/// cosines, sines: [N, d/2] float32; the angle is rounded to float32.
package func rotaryTable(positions: [Int32], frequencies: [Float], cosines: Tensor, sines: Tensor) {
    let shape = [positions.count, frequencies.count]
    expect(cosines, shape, "cosines")
    expect(sines, shape, "sines")
    unsafe ck_rotary_table(positions, frequencies, shape[0], shape[1], cosines.floats, sines.floats)
}

/// Turns each pair (x_i, x_{i + d/2}) of every head by its row's i-th angle, or back, in place.
///
/// Su et al., arXiv 2104.09864, eq. 34. Turning back is also the gradient of turning.
/// x: [N, heads·d] float32; cosines, sines: [N, d/2].
package func rotate(_ x: Tensor, cosines: Tensor, sines: Tensor, back: Bool = false) {
    let (n, width) = matrix(x, "x")
    let (_, half) = matrix(cosines, "cosines")
    expect(cosines, [n, half], "cosines")
    expect(sines, [n, half], "sines")
    precondition(half > 0 && width % (2 * half) == 0, "rows of \(width) for heads of \(2 * half)")
    unsafe ck_rotary(cosines.floats, sines.floats, n, width / (2 * half), half, back ? 1 : 0, x.floats)
}
