internal import Tensors

/// Bytes of what passes through the blocks keep and work in, as `Workspace` has them; D width, F inner width, H heads.
public struct ActivationMemory: Sendable {
    private let shape: ModelConfiguration
    /// b: bytes of an operand of products.
    private let operand: Int

    /// Of a model of this shape.
    public init(_ shape: ModelConfiguration, _ precision: Precision) {
        self.shape = shape
        operand = precision.elementType.size
    }

    /// Of a block and token: 4·(2D + QKV) + b·(2D + A) + F·(4 + b) + 4·H + 16, QKV the width of queries, keys and values, A that
    /// of attention; Llama's gate is 4·F more.
    public var block: Int {
        let (d, f) = (shape.width, shape.innerWidth)
        let attention = 4 * (2 * d + shape.queryKeyValueWidth) + operand * (2 * d + shape.attentionWidth)
        return attention + f * ((shape.llama == nil ? 4 : 8) + operand) + 4 * shape.heads + 16
    }

    /// Of a token, shared by all blocks of a pass: a projection, and what the heads work on.
    public var pass: Int { 4 * 3 * shape.width + operand * shape.width }

    /// Of a token, shared by all blocks of a backward pass.
    public var backward: Int {
        let narrow = max(shape.width, shape.attentionWidth)
        let wide = max(shape.innerWidth, shape.queryKeyValueWidth)
        let copied = operand == 4 ? 0 : wide
        let gated = shape.llama == nil ? 0 : 2 * shape.innerWidth
        return 4 * (narrow + wide + 2 * shape.width) + operand * max(copied, gated) + (operand == 4 ? 0 : 2 * narrow)
    }

    /// Of a recorded pass of so many tokens through the last `blocks` blocks, with its backward pass.
    ///
    /// `checkpointing`: only a block's input, [N, D], is kept of each, and one has more at a time.
    public func recorded(tokens: Int, blocks: Int, checkpointing: Bool) -> Int {
        let kept = checkpointing ? blocks * 4 * shape.width + block : blocks * block
        return tokens * (kept + pass + backward)
    }

    /// Of a pass that nothing follows.
    public func passing(tokens: Int) -> Int { tokens * (block + pass) }

    /// Tokens of a pass that nothing follows, unless one sequence is longer: as many as take 512 MiB, between 256 and 8,192.
    public var passingTokens: Int { min(8192, max(256, (512 << 20) / (block + pass))) }

    /// Of the keys and values of a token in all blocks.
    public var cachedToken: Int { 2 * 4 * shape.layers * shape.keyValueHeads * shape.headWidth }
}
