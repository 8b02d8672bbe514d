import CKernels

/// Which elements of a matrix become 0 at random, each with probability p.
///
/// Srivastava et al. 2014, JMLR 15. The others are scaled by 1/(1 − p), so that the expectation stays. What becomes of
/// an element follows from its row's key and its column alone: neither threads nor the other rows of a batch matter,
/// and a backward pass finds the same elements.
package struct Dropout: Sendable {
    /// p, to 32 bits.
    package let probability: Double
    /// A random number for each row.
    package let keys: [UInt64]

    /// Drops elements of `keys.count` rows; `probability` is at least 0 and below 1.
    package init(probability: Double, keys: [UInt64]) {
        precondition(probability >= 0 && probability < 1, "dropout of \(probability)")
        self.probability = probability
        self.keys = keys
    }

    /// y = x ⊙ m/(1 − p), m being 0 where an element is dropped and else 1.
    ///
    /// x, y: [N, D] of one type.
    package func forward(_ x: Tensor, into y: Tensor) { apply(x, to: y, adds: false) }

    /// dx += dy ⊙ m/(1 − p).
    ///
    /// dy, dx: [N, D] of one type.
    package func backward(dy: Tensor, addingTo dx: Tensor) { apply(dy, to: dx, adds: true) }

    private func apply(_ x: Tensor, to y: Tensor, adds: Bool) {
        let (rows, columns) = matrix(x, "x")
        expect(y, [rows, columns], "y")
        precondition(keys.count == rows, "\(keys.count) keys for \(rows) rows")
        precondition(x.elementType == y.elementType, "\(x.elementType) and \(y.elementType)")
        let scale = Float(1 / (1 - probability))
        let threshold = UInt32(probability * 0x1p32)
        unsafe ck_dropout(x.bytes, x.elementType.code, keys, rows, columns, threshold, scale, adds ? 1 : 0, y.bytes)
    }
}
