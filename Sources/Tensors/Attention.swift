import CKernels

/// Queries, keys and values of N tokens in one tensor, as attention reads them, or their gradients.
///
/// H heads of queries, K of keys and values, each `headWidth` = d wide; a head of keys serves H/K query heads that
/// follow each other (grouped-query attention, Ainslie et al., arXiv 2305.13245).
package struct AttentionInput {
    /// How the three lie in the tensor.
    package enum Layout: Sendable {
        /// In every row its queries, then its keys, then its values: [N, (H + 2K)·d].
        case sideBySide
        /// All queries [N, H·d], then all keys [N, K·d], then all values [N, K·d].
        case apart
    }

    /// N·(H + 2K)·d float32 elements.
    package let tensor: Tensor
    /// H.
    package let heads: Int
    /// K.
    package let keyValueHeads: Int
    /// d.
    package let headWidth: Int
    /// Where each part is.
    package let layout: Layout

    /// States what a tensor holds.
    package init(_ tensor: Tensor, heads: Int, keyValueHeads: Int, headWidth: Int, layout: Layout) {
        precondition(
            keyValueHeads > 0 && heads > 0 && heads % keyValueHeads == 0 && headWidth > 0,
            "\(heads) heads, \(keyValueHeads) of keys, \(headWidth) wide"
        )
        precondition(
            tensor.count % ((heads + 2 * keyValueHeads) * headWidth) == 0,
            "attention input \(tensor.shape) for \(heads) + 2·\(keyValueHeads) heads of \(headWidth)"
        )
        self.tensor = tensor
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.layout = layout
    }

    /// As many heads of keys as of queries, side by side: [N, 3D].
    package init(_ qkv: Tensor, heads: Int) {
        let (_, triple) = matrix(qkv, "qkv")
        precondition(heads > 0 && triple % (3 * heads) == 0, "qkv \(qkv.shape) for \(heads) heads")
        self.init(qkv, heads: heads, keyValueHeads: heads, headWidth: triple / (3 * heads), layout: .sideBySide)
    }

    /// N.
    package var rows: Int { tensor.count / ((heads + 2 * keyValueHeads) * headWidth) }
    /// H·d.
    package var width: Int { heads * headWidth }
    /// K·d.
    package var keyValueWidth: Int { keyValueHeads * headWidth }

    /// Its gradient, in other memory of as many elements, laid out alike.
    package func gradient(in tensor: Tensor) -> AttentionInput {
        expect(tensor, count: self.tensor.count, "tensor")
        return AttentionInput(
            tensor,
            heads: heads,
            keyValueHeads: keyValueHeads,
            headWidth: headWidth,
            layout: layout
        )
    }

    /// The queries [N, H·d] of the layout `apart`: a view.
    package var queries: Tensor { part(at: 0, width: width) }
    /// The keys [N, K·d] of the layout `apart`: a view.
    package var keys: Tensor { part(at: rows * width, width: keyValueWidth) }
    /// The values [N, K·d] of the layout `apart`: a view.
    package var values: Tensor { part(at: rows * (width + keyValueWidth), width: keyValueWidth) }

    /// The three of the layout `apart`.
    package var parts: [Tensor] { [queries, keys, values] }

    private func part(at offset: Int, width: Int) -> Tensor {
        precondition(layout == .apart, "queries, keys and values side by side are no matrices of their own")
        return tensor.view(at: offset, shape: [rows, width])
    }

    /// Rounds keys and values to what a type can hold, in place: a cache of that type then has them as they are.
    package func roundKeysAndValues(to type: ElementType) {
        guard type == .bfloat16 else { return }
        let parts = unsafe parts(of: tensor)
        unsafe ck_round_rows(parts.k, rows, keyValueWidth, parts.kv_row)
        unsafe ck_round_rows(parts.v, rows, keyValueWidth, parts.kv_row)
    }

    /// What the kernels take: the parts of `tensor`, which has this layout.
    @unsafe fileprivate func parts(of tensor: Tensor) -> ck_heads {
        let isApart = layout == .apart
        let row = width + 2 * keyValueWidth
        let q = unsafe tensor.floats
        let k = unsafe q + (isApart ? rows * width : width)
        let v = unsafe k + (isApart ? rows * keyValueWidth : keyValueWidth)
        return unsafe ck_heads(
            q: q,
            k: k,
            v: v,
            q_row: isApart ? width : row,
            kv_row: isApart ? keyValueWidth : row,
            heads: heads,
            kv_heads: keyValueHeads,
            d: headWidth
        )
    }
}

/// Causal self-attention of packed sequences: softmax(q·kᵀ/√d)·v per sequence and head.
///
/// `queries`: the rows whose result is asked for, Q of them, which ascend; nil: all. out: [Q, H·d] of either type;
/// logSumExp: [H, Q] float32, kept for the backward pass.
package func attentionForward(
    _ input: AttentionInput,
    _ sequences: PackedLayout,
    queries: [Int32]? = nil,
    into out: Tensor,
    logSumExp: Tensor
) {
    let count = queryCount(input, sequences, queries)
    expect(out, [count, input.width], "out")
    expect(logSumExp, [input.heads, count], "logSumExp")
    var parts = unsafe input.parts(of: input.tensor)
    unsafe sequences.withKernelArgument { sequences in
        unsafe withKernelArgument(queries, count) { queries in
            unsafe ck_attention_forward(&parts, sequences, queries, out.bytes, out.elementType.code, logSumExp.floats)
        }
    }
}

/// The gradient of the input, in its layout (overwritten), from dout [Q, H·d] float32.
///
/// `queries`, `out` and `logSumExp` are those of the forward pass; dInput holds as many elements as the input.
package func attentionBackward(
    _ input: AttentionInput,
    _ sequences: PackedLayout,
    queries: [Int32]? = nil,
    out: Tensor,
    logSumExp: Tensor,
    dout: Tensor,
    into dInput: Tensor
) {
    let count = queryCount(input, sequences, queries)
    expect(out, [count, input.width], "out")
    expect(dout, [count, input.width], "dout")
    expect(dInput, count: input.tensor.count, "dInput")
    expect(logSumExp, [input.heads, count], "logSumExp")
    var parts = unsafe input.parts(of: input.tensor)
    var gradients = unsafe input.parts(of: dInput)
    unsafe sequences.withKernelArgument { sequences in
        unsafe withKernelArgument(queries, count) { queries in
            unsafe ck_attention_backward(
                &parts,
                sequences,
                queries,
                out.bytes,
                out.elementType.code,
                logSumExp.floats,
                dout.floats,
                &gradients
            )
        }
    }
}

/// Where a sequence's keys and values lie in a cache of rows.
package struct CachedSequence: Sendable {
    /// Rows of its first tokens, which others may share.
    package var prefix: Range<Int>
    /// Rows for the tokens behind them.
    package var tail: Range<Int>
    /// Tokens that are in the cache, those of the prefix among them.
    package var length: Int

    /// States where a sequence lies.
    package init(prefix: Range<Int>, tail: Range<Int>, length: Int) {
        self.prefix = prefix
        self.tail = tail
        self.length = length
    }
}

/// One new token per sequence against its cache.
///
/// Writes k and v of row s behind the tokens of sequence s, then attends over all of them.
/// input: B rows; keyCache, valueCache: [rows, K·d] of one type, float32 or bfloat16; out: [B, H·d] of either type;
/// tails are distinct.
package func attentionDecode(
    _ input: AttentionInput,
    keyCache: Tensor,
    valueCache: Tensor,
    sequences: [CachedSequence],
    into out: Tensor
) {
    let batch = input.rows
    expect(keyCache, [keyCache.shape[0], input.keyValueWidth], "keyCache")
    expect(valueCache, keyCache.shape, "valueCache")
    precondition(keyCache.elementType == valueCache.elementType, "keys and values are of one type")
    precondition(sequences.count == batch, "\(sequences.count) sequences for \(batch) rows")
    let rows = 0..<keyCache.shape[0]
    for sequence in sequences {
        let own = sequence.prefix.count..<sequence.prefix.count + sequence.tail.count
        precondition(own.contains(sequence.length), "no room behind \(sequence.length) tokens: \(sequence)")
        precondition(
            rows.contains(sequence.tail.lowerBound) && rows.contains(sequence.tail.upperBound - 1)
                && sequence.prefix.clamped(to: rows) == sequence.prefix,
            "\(sequence) in a cache of \(rows.count) rows"
        )
    }
    expect(out, [batch, input.width], "out")
    var parts = unsafe input.parts(of: input.tensor)
    unsafe ck_attention_decode(
        &parts,
        keyCache.bytes,
        valueCache.bytes,
        keyCache.elementType.code,
        sequences.map {
            ck_cached(
                prefix: Int32($0.prefix.lowerBound),
                prefix_length: Int32($0.prefix.count),
                tail: Int32($0.tail.lowerBound),
                length: Int32($0.length)
            )
        },
        batch,
        out.bytes,
        out.elementType.code
    )
}

/// How many queries there are; traps unless they are among the rows of the input, all of which the sequences have.
private func queryCount(_ input: AttentionInput, _ sequences: PackedLayout, _ queries: [Int32]?) -> Int {
    precondition(sequences.rows == input.rows, "sequences of \(sequences.rows) rows for \(input.rows)")
    guard let queries else { return input.rows }
    expect(queries, below: input.rows, "queries")
    precondition(
        !queries.isEmpty && zip(queries, queries.dropFirst()).allSatisfy(<),
        "queries must ascend, and be some"
    )
    return queries.count
}

/// Calls `body` with what the kernels take.
@unsafe private func withKernelArgument(_ rows: [Int32]?, _ count: Int, _ body: (UnsafePointer<ck_queries>) -> Void) {
    guard let rows else {
        var all = unsafe ck_queries(rows: nil, count: count)
        return unsafe body(&all)
    }
    unsafe rows.withUnsafeBufferPointer { rows in
        var queries = unsafe ck_queries(rows: rows.baseAddress, count: count)
        unsafe body(&queries)
    }
}
