package import LanguageModels

/// How much work a timed task is.
///
/// A task reads those of its own `keys`.
package struct BenchSize: Sendable {
    /// What a task's work is told by.
    package enum Key: String, CaseIterable, Sendable {
        case pairs, length, batch, prompt, new, groups, epochs, mebibytes
        case loraRank = "lora-rank"
        case topLayers = "top-layers"
    }

    /// Comparisons: of a step, or of each of 8 users.
    package var pairs = 8
    /// Tokens of a comparison's sequences, spread evenly from the least to the most.
    package var length = 128...128
    /// Responses sampled together.
    package var batch = 16
    /// Tokens of a prompt: of a response, or of both sequences of a comparison.
    package var prompt = 8
    /// Tokens of a response.
    package var new = 48
    /// Groups, each with a reward model.
    package var groups = 2
    /// Passes over a step's responses; steps of an M-step.
    package var epochs = 4
    /// Of a gradient.
    package var mebibytes = 256
    /// Rank of the adapters that are trained; nil: all parameters are.
    package var loraRank: Int?
    /// Blocks that have adapters; nil: all.
    package var topLayers: Int?

    /// The sizes that the project's targets are stated for.
    package init() {}
}

extension BenchTask {
    /// What the task's work is told by.
    package var keys: [BenchSize.Key] {
        switch self {
        case .rewardStep: [.pairs, .length, .prompt, .loraRank, .topLayers]
        case .score: [.pairs, .length, .prompt]
        case .generate: [.batch, .prompt, .new]
        case .policyStep: [.batch, .prompt, .new, .groups, .epochs]
        case .emIteration: [.pairs, .length, .prompt, .groups, .epochs, .loraRank, .topLayers]
        case .allReduce: [.mebibytes]
        case .gemm: []
        }
    }
}

extension BenchSize {
    /// What is trained of a reward model; alpha is 4·rank, as the paper has it.
    package var trainable: TrainableParameters {
        loraRank.map { .adapters(AdapterSettings(rank: $0, alpha: 4 * Double($0), topLayers: topLayers)) } ?? .full
    }
}
