import Tensors

/// Bytes of what passes keep and work in, as `Workspace` has them.
///
/// N tokens, of which R are read after the last block; D width, F inner width, H heads, A width of attention, V
/// vocabulary; b bytes of an operand of products. Norms' statistics count, what one row takes does not.
package struct ActivationMemory: Sendable {
    private let shape: ModelConfiguration
    private let precision: Precision

    /// Of a model of this shape.
    package init(_ shape: ModelConfiguration, _ precision: Precision) {
        self.shape = shape
        self.precision = precision
    }

    private var operand: Int { precision.elementType.size }
    private var isBFloat16: Bool { precision == .bfloat16 }

    /// Of a block and token: 4·(D + QKV) + b·D + 8, QKV the width of queries, keys and values; of queries and keys that
    /// are normed 4·QK and 4 for each norm more.
    private var bytesPerToken: Int {
        4 * (shape.width + shape.queryKeyValueWidth) + operand * shape.width + 8
            + 4 * (shape.normedQueryKeyWidth + shape.queryKeyNorms)
    }

    /// Of a block and a row that is read after it: 4·H + b·A + (4 + b)·(D + F) + 8; Llama's gate is 4·F more, and what
    /// is normed after attention and feed-forward 8·D.
    private var bytesPerReadRow: Int {
        4 * shape.heads + operand * shape.attentionWidth + (4 + operand) * shape.width
            + ((shape.llama == nil ? 4 : 8) + operand) * shape.innerWidth + 8
            + (shape.normsOutputs ? 8 * shape.width : 0)
    }

    /// Of a block and token where all are read.
    package var block: Int { bytesPerToken + bytesPerReadRow }

    /// Of a pass that nothing follows: one block's, shared by all.
    package func inference(tokens: Int) -> Int { tokens * block }

    /// Of any pass besides: a projection, and the angles of rotary positions.
    package func shared(tokens: Int) -> Int {
        tokens * (4 * shape.width + (shape.llama == nil ? 0 : 4 * shape.headWidth))
    }

    /// What a recorded pass keeps of its last `blocks` blocks besides `shared`, and with checkpointing besides
    /// `inference`.
    ///
    /// `checkpointing`: only a block's input, [N, D], of each.
    package func recorded(tokens: Int, read: Int, blocks: Int, checkpointing: Bool) -> Int {
        if checkpointing { return tokens * blocks * 4 * shape.width }
        return blocks == 0 ? 0 : (blocks - 1) * tokens * block + tokens * bytesPerToken + read * bytesPerReadRow
    }

    /// What its backward pass works in, shared by all blocks: 4·(max(D, A) + max(F, QKV)), with copies as operands, and
    /// gradients of gate and feed-forward at once; 4·D where not all rows are read.
    package func backward(tokens: Int, read: Int) -> Int {
        let narrow = max(shape.width, shape.attentionWidth)
        let wide = max(shape.innerWidth, shape.queryKeyValueWidth, shape.normsOutputs ? shape.width : 0)
        let gated = shape.llama == nil ? 0 : 2 * shape.innerWidth
        let copies = isBFloat16 ? operand * (narrow + max(wide, gated)) : operand * gated
        let scattered = read < tokens ? 4 * tokens * shape.width : 0
        return tokens * (4 * (narrow + wide) + copies) + scattered
    }

    /// Of rows that a head reads: residual stream, final norm, its copy as operand, and on the way back the gradients
    /// of both.
    package func rows(_ rows: Int, recorded: Bool) -> Int {
        rows * shape.width * (4 * 2 + (isBFloat16 ? operand : 0) + (recorded ? 4 * 2 : 0))
    }

    /// Logits of scored rows, with those that a backward pass needs.
    package func logits(rows: Int, recorded: Bool) -> Int {
        let elements = rows * shape.vocabularySize
        let atATime = min(elements, max(1, LanguageModel.logitsAtATime / shape.vocabularySize) * shape.vocabularySize)
        guard recorded else { return 4 * atATime }
        return 4 * (elements <= LanguageModel.keptLogits ? elements : atATime) + (isBFloat16 ? operand * atATime : 0)
    }

    /// Of scored rows of a model that is compared with another one, besides `logits` and `rows` of both: its rows as
    /// operands, and its logits.
    package func compared(rows: Int) -> Int {
        operand * rows * shape.width + logits(rows: rows, recorded: false)
    }

    /// Logits of the next token of sequences that are sampled.
    package func sampledLogits(sequences: Int) -> Int { 4 * sequences * shape.vocabularySize }

    /// What low-rank adapters work in; where weights are laid out for sampling, an update of a layer's output besides,
    /// and with dropout in training what is left of a layer's input and its gradient.
    package func adapters(_ settings: AdapterSettings, tokens: Int, sampling: Bool) -> Int {
        let widest = max(shape.innerWidth, shape.queryKeyValueWidth, shape.width)
        let drops = !sampling && settings.dropout > 0
        let inner = settings.rank * (4 + (isBFloat16 ? operand : 0))
        return tokens * (inner + (sampling || drops ? 4 * widest : 0) + (drops ? operand * widest : 0))
    }

    /// Of the keys and values of a token in all blocks.
    package var cachedToken: Int { 2 * operand * shape.layers * shape.keyValueHeads * shape.headWidth }

    /// Of a trunk's states of a token.
    package var trunkState: Int { operand * shape.width }

    /// Of what models over one trunk share of the first adapted block, besides the trunk's states of a token: b·D +
    /// 4·QKV.
    package var sharedQKV: Int { operand * shape.width + 4 * shape.queryKeyValueWidth }

    /// Tokens of a pass that nothing follows, unless one sequence is longer: as many as take 512 MiB, between 256 and
    /// 8,192.
    package var inferenceTokens: Int {
        let working = 4 * 3 * shape.width + operand * shape.width
        return min(8192, max(256, (512 << 20) / (block + working)))
    }
}
