internal import CKernels

/// Causal self-attention of packed sequences: softmax(q·kᵀ/√d)·v per sequence and head.
///
/// qkv: [N, 3D] float32 (q, k, v side by side); offsets: S+1 row numbers; out: [N, D] of either type;
/// logSumExp: [H, N] float32, kept for the backward pass.
public func attentionForward(qkv: Tensor, offsets: [Int32], heads: Int, into out: Tensor, logSumExp: Tensor) {
    let (n, width) = checkAttention(qkv, offsets, heads)
    expect(out, [n, width], "out")
    expect(logSumExp, [heads, n], "logSumExp")
    unsafe ck_attention_forward(
        qkv.floats,
        offsets,
        offsets.count - 1,
        heads,
        width / heads,
        out.bytes,
        out.elementType.code,
        logSumExp.floats
    )
}

/// dqkv [N, 3D] (overwritten) from dout [N, D] float32.
///
/// `out` and `logSumExp` are what the forward pass wrote.
public func attentionBackward(
    qkv: Tensor,
    offsets: [Int32],
    heads: Int,
    out: Tensor,
    logSumExp: Tensor,
    dout: Tensor,
    into dqkv: Tensor
) {
    let (n, width) = checkAttention(qkv, offsets, heads)
    expect(out, [n, width], "out")
    expect(dout, [n, width], "dout")
    expect(dqkv, [n, 3 * width], "dqkv")
    expect(logSumExp, [heads, n], "logSumExp")
    unsafe ck_attention_backward(
        qkv.floats,
        offsets,
        offsets.count - 1,
        heads,
        width / heads,
        out.bytes,
        out.elementType.code,
        logSumExp.floats,
        dout.floats,
        dqkv.floats
    )
}

/// One new token per sequence against its cache.
///
/// Writes k and v of row s into cache slot `slots[s]` at `lengths[s]`, then attends over lengths[s] + 1 positions.
/// qkv: [B, 3D] float32; keyCache, valueCache: [slots, capacity, D] float32; out: [B, D] of either type; slots distinct.
public func attentionDecode(
    qkv: Tensor,
    keyCache: Tensor,
    valueCache: Tensor,
    slots: [Int32],
    lengths: [Int32],
    heads: Int,
    into out: Tensor
) {
    let (batch, triple) = matrix(qkv, "qkv")
    let width = triple / 3
    precondition(triple == 3 * width && heads > 0 && width % heads == 0, "qkv \(qkv.shape) for \(heads) heads")
    precondition(keyCache.shape.count == 3, "the key cache has shape \(keyCache.shape), expected three dimensions")
    let capacity = keyCache.shape[1]
    expect(keyCache, [keyCache.shape[0], capacity, width], "keyCache")
    expect(valueCache, keyCache.shape, "valueCache")
    precondition(
        slots.count == batch && lengths.count == batch,
        "\(slots.count) slots and \(lengths.count) lengths for \(batch) rows"
    )
    expect(slots, below: keyCache.shape[0], "slots")
    expect(lengths, below: capacity, "lengths")
    expect(out, [batch, width], "out")
    unsafe ck_attention_decode(
        qkv.floats,
        keyCache.floats,
        valueCache.floats,
        slots,
        lengths,
        batch,
        capacity,
        heads,
        width / heads,
        out.bytes,
        out.elementType.code
    )
}

/// Rows N and width D of `qkv` [N, 3D] whose sequences `offsets` bounds.
private func checkAttention(_ qkv: Tensor, _ offsets: [Int32], _ heads: Int) -> (n: Int, width: Int) {
    let (n, triple) = matrix(qkv, "qkv")
    let width = triple / 3
    precondition(triple == 3 * width && heads > 0 && width % heads == 0, "qkv \(qkv.shape) for \(heads) heads")
    precondition(
        offsets.first == 0 && offsets.last.map(Int.init) == n && zip(offsets, offsets.dropFirst()).allSatisfy(<=),
        "sequence offsets must ascend from 0 to \(n)"
    )
    return (n, width)
}
