/// What memory is used for.
package enum MemoryComponent: String, CaseIterable, Sendable {
    /// Frozen weights in files, mapped: ranks of a node share them.
    case mapped
    /// Weights that each rank has in its own memory, with their copies as operands of products.
    case weights
    /// Adapters and heads.
    case adapters
    /// Gradients of what is trained.
    case gradients
    /// Gradients of shards that wait to be added.
    case sums
    /// The optimizer's, of the slice that a rank updates.
    case moments
    /// Weights that training may return to.
    case bestWeights = "best_weights"
    /// What passes keep and work in.
    case activations
    /// Of the vocabulary product.
    case logits
    /// Weights laid out for sampling.
    case sampling
    /// Keys and values of sequences that are sampled.
    case cache
    /// What a trunk made of comparisons.
    case trunk
    /// What ranks exchange.
    case communication
    /// Program, libraries, tokenizer and texts.
    case process

    /// As people read it.
    var title: String {
        switch self {
        case .mapped: "frozen weights, mapped"
        case .weights: "weights"
        case .adapters: "adapters and heads"
        case .gradients: "gradients"
        case .sums: "gradients of other shards"
        case .moments: "moments"
        case .bestWeights: "best weights"
        case .activations: "activations"
        case .logits: "logits"
        case .sampling: "weights for sampling"
        case .cache: "keys and values"
        case .trunk: "trunk cache"
        case .communication: "communication"
        case .process: "program and data"
        }
    }

    /// What makes it smaller, in a stage.
    func remedy(in stage: Stage) -> String? {
        switch self {
        case .mapped, .process, .communication: nil
        case .weights, .gradients, .moments, .bestWeights:
            switch stage {
            case .sft: "sft.layers or sft.width (smaller)"
            case .reward: "reward.trainable (lora)"
            default: "policy.trainable (lora)"
            }
        case .adapters: stage == .reward ? "reward.lora.rank (smaller)" : "policy.lora.rank (smaller)"
        case .sums: "shards (fewer)"
        case .activations, .logits:
            switch stage {
            case .sft: "sft.batch_sequences (fewer) or run.activation_checkpointing (true)"
            case .reward, .policy: "model.micro_batch_tokens (fewer) or run.activation_checkpointing (true)"
            default: "data.max_length (smaller)"
            }
        case .sampling: nil
        case .cache: "model.sampling_memory (less)"
        case .trunk: "run.trunk_cache_memory (less)"
        }
    }
}
