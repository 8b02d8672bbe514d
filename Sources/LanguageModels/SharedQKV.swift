import Tensors

/// What a block makes of its input before the first adapter of queries, keys and values can act: the first norm, and
/// its products with their matrices, no bias added.
///
/// In the lowest adapted block these are the same for all models over one trunk.
struct SharedQKV {
    /// [N, D], product type.
    let input: Tensor
    /// N rows of queries, keys and values, laid out as `BlockActivations.qkv`.
    let products: Tensor

    /// Copies what a block has computed.
    func copy(from a: BlockActivations) {
        input.copy(from: a.attentionInput)
        products.copy(from: a.qkv.tensor)
    }

    /// Copies it to where a block computes on.
    func copy(to a: BlockActivations) {
        a.attentionInput.copy(from: input)
        a.qkv.tensor.copy(from: products)
    }
}

extension LanguageModel {
    /// The start of the first block above the trunk, from the trunk's states of sequences.
    ///
    /// The memory is used again by the next call.
    func sharedQKV(of sequences: PackedSequences, from states: Tensor) -> SharedQKV {
        workspace.recording = nil
        let tokens = sequences.tokens.count
        let a = workspace.inference.activations(of: tokens, rows: nil, configuration)
        a.input.copy(from: states)
        blocks[trunkBlocks].startAttention(a, epsilon: configuration.normEpsilon)
        let start = SharedQKV(
            input: workspace.startInput.tensor(a.attentionInput.shape),
            products: workspace.startProducts.tensor(a.qkv.tensor.shape)
        )
        start.copy(from: a)
        return start
    }
}
