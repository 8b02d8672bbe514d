import Collectives
import LanguageModels

/// Work that training does, to be timed by itself.
package enum BenchTask: String, CaseIterable, Sendable {
    /// Bradley–Terry forward and backward, and an AdamW step of all parameters.
    case rewardStep = "reward-step"
    /// Rewards of comparisons.
    case score
    /// Responses sampled with a key–value cache.
    case generate
    /// A policy step: responses sampled, scored by the groups' reward models and the reference, and epochs of PPO.
    case policyStep = "policy-step"
    /// An iteration of EM: steps of every group's model on all users' comparisons, then all of them scored under every
    /// group.
    case emIteration = "em-iteration"
    /// A gradient summed over shards, one a rank, in the order of the shard tree, beside `MPI_Allreduce`.
    case allReduce = "allreduce"
    /// The model's largest product: 1,024 rows times the feed-forward matrix.
    case gemm
}

/// One repetition of a task, and what it gets done.
struct BenchWork {
    /// Does it, over the communicator that it was set up for or a timed one around it.
    let run: (any Communicator) throws -> Void
    /// Tokens that a repetition handles on this rank (response tokens for `generate` and `policy-step`); 0: none.
    var tokens = 0
    /// Floating-point operations of its products on this rank; 0: not counted.
    var operations = 0.0
    /// Bytes that it reduces; 0: none.
    var bytes = 0
    /// Other work of the same effect, timed in turn with it.
    var alternative: BenchAlternative?
}

/// Another way to the same effect.
struct BenchAlternative {
    /// In words, as `MPI_Allreduce`.
    let name: String
    let run: (any Communicator) throws -> Void
}

extension BenchTask {
    /// Sets the task up on random tokens; set-up is not timed.
    func work(model: LanguageModel, size: BenchSize, communicator: any Communicator) throws -> BenchWork {
        switch self {
        case .rewardStep: rewardStepWork(model, size)
        case .score: scoreWork(model, size)
        case .generate: generateWork(model, size)
        case .policyStep: try policyStepWork(model, size)
        case .emIteration: try emIterationWork(model, size, communicator)
        case .allReduce: allReduceWork(communicator, mebibytes: size.mebibytes)
        case .gemm: gemmWork(model)
        }
    }
}

/// Operations of the blocks' products, forward: 2 for each token and weight, but that the last block goes on after
/// attention with the `read` rows alone.
///
/// `blocks`: how many of the last ones; nil: all.
func forwardOperations(_ shape: ModelConfiguration, tokens: Int, read: Int, blocks: Int? = nil) -> Double {
    let weights = Double(shape.blockMatrixElements)
    let start = attentionStartOperations(shape, tokens: tokens)
    let last = start + 2 * Double(read) * (weights - Double(shape.width * shape.queryKeyValueWidth))
    return 2 * Double((blocks ?? shape.layers) - 1) * Double(tokens) * weights + last
}

/// Operations of a block's products before attention.
func attentionStartOperations(_ shape: ModelConfiguration, tokens: Int) -> Double {
    2 * Double(tokens * shape.width * shape.queryKeyValueWidth)
}

/// Operations of the backward pass's products: the gradients of the inputs of the trained blocks' matrices, and of the
/// matrices; with adapters those of the inputs alone, of which the lowest block's first needs none.
func backwardOperations(_ model: LanguageModel, tokens: Int, read: Int) -> Double {
    let shape = model.configuration
    let blocks = shape.layers - model.trunkBlocks
    let inputs = forwardOperations(shape, tokens: tokens, read: read, blocks: blocks)
    guard model.adapters != nil else { return 2 * inputs }
    return inputs - attentionStartOperations(shape, tokens: tokens)
}

/// Operations of the vocabulary's product for one token, forward.
func vocabularyOperations(_ configuration: ModelConfiguration) -> Double {
    2 * Double(configuration.width) * Double(configuration.vocabularySize)
}
