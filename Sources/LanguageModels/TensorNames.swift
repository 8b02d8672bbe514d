/// The names that Hugging Face gives to the tensors outside the blocks.
extension ModelConfiguration {
    /// What the names of all trunk tensors begin with.
    package var trunkPrefix: String { llama == nil ? "transformer." : "model." }
    /// [V, D].
    package var tokenEmbeddingName: String { llama == nil ? "transformer.wte.weight" : "model.embed_tokens.weight" }
    /// The matrix of the vocabulary product, [V, D]: the token embedding where they are tied.
    package var vocabularyName: String { llama?.tiesEmbeddings == false ? "lm_head.weight" : tokenEmbeddingName }
    /// The gain of the norm after the last block, [D].
    var finalGainName: String { llama == nil ? "transformer.ln_f.weight" : "model.norm.weight" }
    /// What the names of a block's tensors begin with.
    func blockPrefix(_ layer: Int) -> String { llama == nil ? "transformer.h.\(layer)." : "model.layers.\(layer)." }
}

extension Head {
    /// Its tensors.
    package var tensorNames: [String] {
        switch self {
        case .none: []
        case .rewards: ["score.weight"]
        case .values: ["value.weight", "value.bias"]
        }
    }
}
