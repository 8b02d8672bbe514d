package import Failures
import LanguageModels
import Reporting
import Runs

/// Refuses work that takes more memory than this machine has left, before any of it is asked for.
///
/// - Throws: `Failure` 78 with both figures.
package func requireAvailable(_ bytes: Double, for work: String) throws(Failure) {
    guard let available = availableMemory(), bytes > Double(available) else { return }
    throw Failure(
        .configuration,
        "needs at least \((bytes / 0x1p30).formatted(decimals: 1)) GiB of memory, where \(gibibytes(available)) are "
            + "available; "
            + "ask for less",
        at: work
    )
}

/// Refuses sequences of one pass that a model does not take, more of them than a pass takes, or than there is memory
/// for.
func requireTakes(
    _ model: LanguageModel,
    sequences: Int,
    of tokens: Int,
    bytes: Double,
    for work: String
) throws(Failure) {
    let context = model.configuration.contextLength
    guard tokens <= context else {
        throw Failure(.usage, "sequences of \(tokens) tokens exceed the model's context of \(context)", at: work)
    }
    guard sequences * tokens <= Int(Int32.max) else {
        throw Failure(.usage, "\(sequences) sequences of \(tokens) tokens are more than a pass takes", at: work)
    }
    try requireAvailable(bytes, for: work)
}

extension ScalingLoad {
    /// The least memory that a step takes of a rank besides the model that it is given, bytes.
    func leastMemory(of stage: ScalingStage, _ shape: ModelConfiguration, _ precision: Precision, ranks: Int) -> Double
    {
        let weights = 4 * Double(shape.parameterCount(head: .none))
        let ofShard = Double(batch) * Double(length)
        let tokens = ofShard * (Double(shards) / Double(ranks)).rounded(.up)
        let recorded = Double((shape.layers - 1) * ActivationMemory(shape, precision).block)
        switch stage {
        case .sft: return 3 * weights + 4 * tokens + ofShard * recorded
        case .reward: return 6 * weights + 8 * tokens
        case .score: return 2 * weights + 8 * tokens
        case .policy: return 4 * weights + 16 * ofShard
        }
    }
}

extension BenchTask {
    /// The least memory that a task takes besides the model that it is given, bytes: the sizes are anyone's, so it is
    /// no integer.
    func leastMemory(_ shape: ModelConfiguration, _ precision: Precision, _ size: BenchSize) -> Double {
        let memory = ActivationMemory(shape, precision)
        let weights = 4 * Double(shape.parameterCount(head: .reward))
        let trained = 4 * Double(size.trainable.parameterCount(shape, head: .reward))
        // Tokens, and for training what all trained blocks but the last, of which little is read, keep of them.
        let kept = (min(size.topLayers ?? shape.layers, shape.layers) - 1) * memory.block
        let tokens = Double(2 * size.pairs) * Double(size.length.lowerBound)
        let responses = Double(size.batch) * Double(size.prompt + size.new)
        switch self {
        case .rewardStep: return 4 * trained + tokens * Double(4 + kept)
        case .score: return weights + 8 * tokens
        case .generate: return 8 * responses
        case .policyStep: return Double(size.groups + 4) * weights + 16 * responses
        case .emIteration: return Double(size.groups) * 4 * trained + 8 * 8 * tokens
        case .allReduce: return 2 * Double(size.mebibytes << 20)
        case .gemm: return 0
        }
    }
}
