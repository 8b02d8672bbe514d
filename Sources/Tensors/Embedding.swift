import CKernels

/// x[i] = tokenEmbedding[tokens[i]] + positionEmbedding[positions[i]].
///
/// x: [N, D] float32; the tables are of either type, both of one.
package func embeddingForward(
    tokens: [Int32],
    positions: [Int32],
    tokenEmbedding: Tensor,
    positionEmbedding: Tensor,
    into x: Tensor
) {
    let (n, d) = matrix(x, "x")
    checkEmbedding(tokens, positions, tokenEmbedding, positionEmbedding, n, d)
    precondition(
        tokenEmbedding.elementType == positionEmbedding.elementType,
        "a \(tokenEmbedding.elementType) token table and a \(positionEmbedding.elementType) position table"
    )
    unsafe ck_embedding_forward(
        tokens,
        positions,
        tokenEmbedding.bytes,
        positionEmbedding.bytes,
        tokenEmbedding.elementType.code,
        n,
        d,
        x.floats
    )
}

/// Adds dx [N, D] to the gradients of the token embedding and, where there is one, of the position embedding.
///
/// Deterministic for repeated tokens.
package func embeddingBackward(
    dx: Tensor,
    tokens: [Int32],
    positions: [Int32],
    tokenGradient: Tensor,
    positionGradient: Tensor?
) {
    let (n, d) = matrix(dx, "dx")
    checkEmbedding(tokens, positions, tokenGradient, positionGradient, n, d)
    unsafe ck_embedding_backward(dx.floats, tokens, positions, n, d, tokenGradient.floats, positionGradient?.floats)
}

private func checkEmbedding(
    _ tokens: [Int32],
    _ positions: [Int32],
    _ tokenTable: Tensor,
    _ positionTable: Tensor?,
    _ n: Int,
    _ d: Int
) {
    precondition(tokens.count == n && positions.count == n, "\(tokens.count) tokens for \(n) rows")
    let vocabulary = matrix(tokenTable, "token table").rows
    expect(tokenTable, [vocabulary, d], "token table")
    expect(tokens, below: vocabulary, "tokens")
    guard let positionTable else { return }
    let context = matrix(positionTable, "position table").rows
    expect(positionTable, [context, d], "position table")
    expect(positions, below: context, "positions")
}
