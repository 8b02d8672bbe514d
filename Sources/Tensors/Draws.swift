import CKernels

/// Draws a token from softmax(logits/temperature) of each row, by inverting the cumulative sum in order of token id; at
/// temperature 0 the most probable, the lowest id among equals, whose log-probability is then 0.
///
/// logits: [R, V] float32; `uniforms`: R numbers in [0, 1), not read at temperature 0.
package func sampleTokens(
    logits: Tensor,
    temperature: Float,
    uniforms: [Double]
) -> (tokens: [Int32], logProbabilities: [Float]) {
    let (n, v) = matrix(logits, "logits")
    precondition(v > 0 && temperature >= 0, "draws from \(v) logits at temperature \(temperature)")
    precondition(temperature == 0 || uniforms.count == n, "\(uniforms.count) uniform numbers for \(n) rows")
    var tokens = [Int32](repeating: 0, count: n)
    var logProbabilities = [Float](repeating: 0, count: n)
    unsafe ck_draw(logits.floats, temperature, uniforms, n, v, &tokens, &logProbabilities)
    return (tokens, logProbabilities)
}
