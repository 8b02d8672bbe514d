import Tensors

/// A block's tensors: its parameters (weights of the product type, the rest fp32) or their gradients (fp32).
struct LlamaTensors {
    /// Whether attention and feed-forward are normed after them.
    let normsOutputs: Bool
    /// Of the norms before attention and feed-forward, or after them.
    let gain1: Tensor
    let queries: LinearTensors
    let keys: LinearTensors
    let values: LinearTensors
    /// Of the norms of queries and keys.
    let queryGain: Tensor?
    let keyGain: Tensor?
    let output: LinearTensors
    let gain2: Tensor
    let gate: Tensor
    let up: Tensor
    let down: Tensor

    /// A projection of attention, with its bias where it has one.
    struct LinearTensors {
        let weight: Tensor
        let bias: Tensor?
    }

    init(_ tensors: NamedTensors, _ shape: LlamaShape, prefix: String) {
        func projection(_ name: String, hasBias: Bool) -> LinearTensors {
            let name = prefix + "self_attn." + name
            return LinearTensors(
                weight: tensors.matrix(name + ".weight"),
                bias: hasBias ? tensors.vector(name + ".bias") : nil
            )
        }
        let norms = Self.normNames(shape)
        normsOutputs = shape.normsOutputs
        gain1 = tensors.vector(prefix + norms.attention)
        queries = projection("q_proj", hasBias: shape.attentionBias != .none)
        keys = projection("k_proj", hasBias: shape.attentionBias != .none)
        values = projection("v_proj", hasBias: shape.attentionBias != .none)
        let hasNorm = shape.queryKeyNorm != nil
        queryGain = hasNorm ? tensors.vector(prefix + "self_attn.q_norm.weight") : nil
        keyGain = hasNorm ? tensors.vector(prefix + "self_attn.k_norm.weight") : nil
        output = projection("o_proj", hasBias: shape.attentionBias == .all)
        gain2 = tensors.vector(prefix + norms.feedForward)
        gate = tensors.matrix(prefix + "mlp.gate_proj.weight")
        up = tensors.matrix(prefix + "mlp.up_proj.weight")
        down = tensors.matrix(prefix + "mlp.down_proj.weight")
    }

    private static func normNames(_ shape: LlamaShape) -> (attention: String, feedForward: String) {
        shape.normsOutputs
            ? ("post_attention_layernorm.weight", "post_feedforward_layernorm.weight")
            : ("input_layernorm.weight", "post_attention_layernorm.weight")
    }

    /// What attention reads its input through.
    var attentionInputs: [LinearTensors] { [queries, keys, values] }

    /// The matrices in the order in which they are multiplied.
    var matrices: [Tensor] { [queries.weight, keys.weight, values.weight, output.weight, gate, up, down] }

    /// Name and shape of each, in their order in the flat vector.
    static func shapes(_ configuration: ModelConfiguration, _ llama: LlamaShape, layer: Int) -> [(String, [Int])] {
        let block = configuration.blockPrefix(layer)
        let d = configuration.width
        let f = configuration.innerWidth
        let attention = configuration.attentionWidth
        let keyValue = llama.keyValueHeads * llama.headWidth
        func projection(_ name: String, _ shape: [Int], hasBias: Bool) -> [(String, [Int])] {
            let name = block + "self_attn." + name
            return [(name + ".weight", shape)] + (hasBias ? [(name + ".bias", [shape[0]])] : [])
        }
        let norms = normNames(llama)
        let normed: (queries: Int, keys: Int)? =
            switch llama.queryKeyNorm {
            case nil: nil
            case .heads: (llama.headWidth, llama.headWidth)
            case .tokens: (attention, keyValue)
            }
        let queryKeyNorms = normed.map { width in
            [
                (block + "self_attn.q_norm.weight", [width.queries]),
                (block + "self_attn.k_norm.weight", [width.keys]),
            ]
        }
        return [(block + norms.attention, [d])]
            + projection("q_proj", [attention, d], hasBias: llama.attentionBias != .none)
            + projection("k_proj", [keyValue, d], hasBias: llama.attentionBias != .none)
            + projection("v_proj", [keyValue, d], hasBias: llama.attentionBias != .none)
            + (queryKeyNorms ?? [])
            + projection("o_proj", [d, attention], hasBias: llama.attentionBias == .all)
            + [
                (block + norms.feedForward, [d]),
                (block + "mlp.gate_proj.weight", [f, d]), (block + "mlp.up_proj.weight", [f, d]),
                (block + "mlp.down_proj.weight", [d, f]),
            ]
    }
}
