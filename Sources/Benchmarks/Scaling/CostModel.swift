import Foundation
package import LanguageModels

// The cost model of docs/scaling.md: what a training step costs a rank, from shapes and a few measured rates.
//
//   P parameters, T of them trained (per group), W in the blocks' matrices, V·D in the vocabulary's; K groups;
//   R ranks on n nodes, r on each; t tokens of a rank and step.

/// Which parameters are trained, as far as costs go.
package enum TrainedPart: Equatable, Sendable {
    case full
    /// Adapters A [rank, in] and B [out, rank] on every matrix of the blocks.
    case lora(rank: Int)
    case head
}

/// What a machine does, measured; see docs/scaling.md for where the numbers come from.
package struct MachineRates: Equatable, Sendable {
    /// Operations a second of one thread: forward and backward together, forward alone, and sampling token by token.
    package var training = 1.5e11
    package var scoring = 2.0e11
    package var sampling = 2.0e10
    /// Bytes a second that a node's memory moves.
    package var memory = 6.5e10
    /// Bytes a second that a rank exchanges with others of its node.
    package var shared = 1.5e9
    /// Bytes a second of a node's link, each way.
    package var link = 1.25e10
    /// Seconds of a message between nodes, and within one.
    package var linkLatency = 2e-6
    package var sharedLatency = 1e-6
    /// Cores of a node: more threads than cores share them.
    package var cores = 64

    /// The defaults: this project's development machine, with links as of 100 Gbit/s InfiniBand.
    package init() {}
}

/// A stage's step on some ranks.
package struct StepCosts: Equatable, Sendable {
    /// Of a rank.
    package let computeSeconds: Double
    /// Of a rank: gradients summed.
    package let communicationSeconds: Double
    /// That a rank sends in a step.
    package let bytes: Double
    /// That a rank waits for, one after the other.
    package let messages: Int
    /// Bytes of a rank by component, in the order of the documentation.
    package let memory: [(component: String, bytes: Double)]
    /// Bytes that all ranks of a node share: a frozen base, mapped once.
    package let sharedMemory: Double

    /// Of a rank, what is shared left out.
    package var memoryOfRank: Double { memory.reduce(0) { $0 + $1.bytes } }

    /// Whether every figure is the same.
    package static func == (a: StepCosts, b: StepCosts) -> Bool {
        a.computeSeconds == b.computeSeconds && a.communicationSeconds == b.communicationSeconds && a.bytes == b.bytes
            && a.messages == b.messages && a.memory.elementsEqual(b.memory, by: ==) && a.sharedMemory == b.sharedMemory
    }
}

/// Predicts a step.
package struct CostModel: Equatable, Sendable {
    package var shape: ModelConfiguration
    package var stage: ScalingStage
    package var trained = TrainedPart.full
    /// K.
    package var groups = 2
    /// t: of each group for `reward` and `score`, of the responses for `policy`, of prompts and responses both.
    package var tokensPerRank = 4096
    /// Tokens of a forward pass whose activations are kept.
    package var microBatchTokens = 4096
    package var threads = 1
    package var ranksPerNode = 1
    /// Bytes of an operand: 2 for bf16, 4 for fp32.
    package var operandBytes = 2.0
    package var rates = MachineRates()

    /// A step of a stage of a model.
    package init(shape: ModelConfiguration, stage: ScalingStage) {
        self.shape = shape
        self.stage = stage
    }

    /// W: weights of the blocks' matrices.
    private var blockWeights: Double { Double(shape.layers * shape.blockMatrixElements) }

    /// V·D.
    private var vocabularyWeights: Double { Double(shape.vocabularySize) * Double(shape.width) }

    /// P.
    package var parameters: Double { Double(shape.parameterCount(head: .none)) }

    /// T.
    package var trainedParameters: Double {
        switch trained {
        case .full: parameters
        case .lora(let rank): Double(rank * shape.layers * sumOfMatrixSides)
        case .head: Double(shape.width)
        }
    }

    /// Of a block, in + out of every matrix; GPT-2 has queries, keys and values in one.
    private var sumOfMatrixSides: Int {
        let (d, f, isLlama) = (shape.width, shape.innerWidth, shape.llama != nil)
        return (isLlama ? 3 : 1) * d + shape.queryKeyValueWidth + shape.attentionWidth + d + (isLlama ? 3 : 2) * (d + f)
    }

    /// Models that the step's gradients belong to.
    private var trainedModels: Double {
        switch stage {
        case .reward: Double(groups)
        case .score: 0
        case .sft, .policy: 1
        }
    }

    /// Bytes of the gradients that a step sums: 4·T for each trained model.
    package var gradientBytes: Double { 4 * trainedParameters * trainedModels }

    /// What a step costs each of `ranks` ranks.
    package func costs(ranks: Int) -> StepCosts {
        let inNode = Double(min(ranks, ranksPerNode))
        let nodes = (Double(ranks) / inNode).rounded(.up)
        // Threads beyond the cores take turns.
        let turns = max(1, inNode * Double(threads) / Double(rates.cores))
        let speed = Double(threads) / turns
        let operations = operationsPerToken
        let products =
            Double(tokensPerRank)
            * (operations.training / rates.training + operations.scoring / rates.scoring + operations.sampling
                / rates.sampling)
            / speed
        // AdamW reads weight, gradient and both moments, and writes all but the gradient: 28 bytes of each parameter of
        // a rank's slice.
        let update = 28 * trainedParameters * trainedModels / Double(ranks) * inNode / rates.memory

        // Gradients are reduce-scattered, changes of weights all-gathered: each moves (R − 1)/R of them through every
        // rank, in log₂R exchanges.
        let share = Double(ranks - 1) / Double(ranks)
        let exchanges = trainedModels == 0 ? 1 : 2
        let rounds = exchanges * Int(log2(Double(ranks)).rounded(.up))
        let roundsInNode = exchanges * Int(log2(inNode).rounded(.up))
        let withinNode = 2 * gradientBytes * (inNode - 1) / inNode / rates.shared
        let betweenNodes = 2 * gradientBytes * inNode * (nodes - 1) / nodes / rates.link
        let latency = Double(roundsInNode) * rates.sharedLatency + Double(rounds - roundsInNode) * rates.linkLatency
        return StepCosts(
            computeSeconds: products + update,
            communicationSeconds: withinNode + betweenNodes + latency,
            bytes: 2 * gradientBytes * share,
            messages: rounds,
            memory: memory(ranks: ranks),
            sharedMemory: trained == .full ? 0 : operandBytes * parameters
        )
    }

    /// Operations of a token by kind.
    ///
    /// Forward, 2 for each weight. Backward, 4 for each weight that is trained, 2 for one that only passes the gradient
    /// on to adapters, none below a head.
    private var operationsPerToken: (training: Double, scoring: Double, sampling: Double) {
        let backward =
            switch trained {
            case .full: 4.0
            case .lora: 2.0
            case .head: 0.0
            }
        let (trunk, whole) = (blockWeights, blockWeights + vocabularyWeights)
        let k = Double(groups)
        return switch stage {
        case .sft: ((2 + backward) * whole, 0, 0)
        case .reward: (k * (2 + backward) * trunk, 0, 0)
        case .score: (0, k * 2 * trunk, 0)
        // Scored by the policy and the reference, rewarded by K groups, updated.
        case .policy: ((2 + backward) * whole, 2 * 2 * whole + k * 2 * trunk, 2 * whole)
        }
    }

    /// Bytes of a rank by component.
    private func memory(ranks: Int) -> [(component: String, bytes: Double)] {
        let isFull = trained == .full
        // Trained weights are fp32, with a copy as operands of products.
        let copy = operandBytes < 4 ? operandBytes : 0
        let models: Double =
            switch stage {
            case .sft, .policy: 1
            case .reward, .score: Double(groups)
            }
        let held = isFull ? parameters : trainedParameters
        // The reference and K + 1 reward models are opened in place: of their fp32 files, only the copy is a rank's
        // own.
        let opened = stage == .policy ? (Double(groups) + 2) * (isFull ? copy * parameters : (4 + copy) * held) : 0
        // Where there is a copy, a rank has fp32 weights of its slice.
        let sliced = isFull && copy > 0 ? gradientBytes * (1 - 1 / Double(ranks)) : 0
        // An M-step remembers the best weights of each group's slice, and those that it started from.
        let bestWeights = stage == .reward ? trainedParameters * (trainedModels / Double(ranks) + 1) : 0
        return [
            ("weights", (4 + copy) * held * models - sliced + opened + 4 * bestWeights),
            ("gradients", gradientBytes),
            ("moments", 2 * gradientBytes / Double(ranks)),
            ("activations", activationBytes),
        ]
    }

    /// What a forward pass keeps for its backward pass, all of its rows read.
    private var activationBytes: Double {
        let tokens = min(microBatchTokens, tokensPerRank)
        let activations = ActivationMemory(shape, operandBytes < 4 ? .bfloat16 : .float32)
        return Double(tokens * shape.layers * activations.block)
    }
}
