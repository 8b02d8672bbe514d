public import Collectives
public import Tensors

/// AdamW's constants.
public struct AdamWSettings: Equatable, Sendable {
    /// Decay of the mean of gradients, β₁.
    public var beta1: Float = 0.9
    /// Decay of the mean of squared gradients, β₂.
    public var beta2: Float = 0.999
    /// Added to the root of the second moment.
    public var epsilon: Float = 1e-8
    /// Decoupled weight decay λ: a parameter that decays loses rate·λ of itself a step.
    public var weightDecay: Float = 0
    /// Gradients are scaled down to this global norm; 0: never.
    public var clipNorm: Float = 1
    /// PyTorch's constants, no weight decay, gradients clipped at norm 1.
    public init() {}
}

/// AdamW over the trainable range of one flat parameter vector.
///
/// Loshchilov & Hutter, arXiv 1711.05101, Algorithm 2, as `torch.optim.AdamW` computes it. Moments exist for the given
/// parameters only, so a caller that trains a suffix of a model passes views of that suffix. Ranks share the work: each
/// holds the moments of its own slice and updates it, by `GradientExchange.reproducible`. The state that a checkpoint needs is
/// `step` and the moments.
public final class AdamW {
    /// How many updates were made.
    public private(set) var step = 0
    /// m: running mean of gradients, of the slice.
    public let firstMoment: Tensor
    /// v: running mean of squared gradients, of the slice.
    public let secondMoment: Tensor
    /// The parameters that this rank updates, in order; the moments are theirs, end to end.
    public let slice: [Range<Int>]

    /// How many parameters all ranks together update.
    var parameterCount: Int { parameters.count }
    /// Whether every rank holds all moments.
    var isReplicated: Bool { exchange == .allReduce }
    private let parameters: Tensor
    private let gradients: Tensor
    private let settings: AdamWSettings
    private let exchange: GradientExchange
    private let segments: [Segment]

    /// A maximal run of this rank's elements that all decay or all do not.
    private struct Segment {
        let range: Range<Int>
        /// Where its moments begin.
        let place: Int
        let decays: Bool
    }

    /// Starts with moments of zero.
    ///
    /// `parameters` and `gradients` are flat float32 tensors of equal length, kept and updated in place.
    /// `decaying`: flat ranges that decay applies to, in order (the other ranges of `parameters` do not decay). `communicator`:
    /// the ranks that do the work; its messages are `update`'s. `exchange`: how the gradients were summed.
    public init(
        parameters: Tensor,
        gradients: Tensor,
        decaying: [Range<Int>],
        settings: AdamWSettings,
        by exchange: GradientExchange = .reproducible,
        over communicator: any Communicator = SoloCommunicator()
    ) {
        precondition(
            parameters.count == gradients.count,
            "\(parameters.count) parameters but \(gradients.count) gradients"
        )
        self.parameters = parameters
        self.gradients = gradients
        self.settings = settings
        self.exchange = exchange
        slice = exchange.slice(of: parameters.count, communicator)
        let count = slice.reduce(0) { $0 + $1.count }
        firstMoment = Tensor(zeros: [count])
        secondMoment = Tensor(zeros: [count])
        segments = Self.segments(of: slice, parameters.count, decaying: decaying)
    }

    /// One step with `factor` times the gradient; returns the scaled gradient's norm before clipping.
    ///
    /// Of the gradient a rank needs its slice; the update uses the gradient up. Every rank of the work calls it. A norm that
    /// is not finite changes nothing and is returned as it is. Otherwise the gradient is multiplied by min(1, clipNorm / (norm +
    /// 1e-6)), as `torch.nn.utils.clip_grad_norm_` does.
    public func update(
        learningRate: Float,
        scaledBy factor: Float = 1,
        over communicator: any Communicator = SoloCommunicator()
    ) throws -> Double {
        precondition(
            exchange.slice(of: parameters.count, communicator) == slice,
            "an update's ranks are those that the optimizer was made for"
        )
        if factor != 1 { for piece in slice { scale(gradients.rows(piece), by: factor) } }
        let isShared = communicator.size > 1 && exchange == .reproducible
        var squares = slice.flatMap { chunkSumsOfSquares(gradients.rows($0)) }
        if isShared {
            let slices = Slices(of: parameters.count, ranks: communicator.size)
            squares = slices.inOrder(try communicator.joined(squares))
        }
        let norm = squares.reduce(0, +).squareRoot()
        guard norm.isFinite else { return norm }
        step += 1
        let before = isShared ? ownParameters() : nil
        let gradientScale = settings.clipNorm > 0 ? Float(min(1, Double(settings.clipNorm) / (norm + 1e-6))) : 1
        for segment in segments {
            let moments = segment.place..<segment.place + segment.range.count
            adamWStep(
                parameters: parameters.rows(segment.range),
                gradients: gradients.rows(segment.range),
                firstMoment: firstMoment.rows(moments),
                secondMoment: secondMoment.rows(moments),
                step: step,
                learningRate: learningRate,
                beta1: settings.beta1,
                beta2: settings.beta2,
                epsilon: settings.epsilon,
                weightDecay: segment.decays ? settings.weightDecay : 0,
                gradientScale: gradientScale
            )
        }
        if let before { try exchangeChanges(since: before, communicator) }
        return norm
    }

    /// Brings the other ranks' updates here, and this rank's to them, through the gradient's memory.
    ///
    /// What travels is not the weights but which of their bits changed: a copy that a fault has spoiled then stays
    /// spoiled, and the comparison of replicas finds it.
    private func exchangeChanges(since before: Tensor, _ communicator: any Communicator) throws {
        let slices = Slices(of: parameters.count, ranks: communicator.size)
        var place = 0
        for piece in slice {
            let changes = before.rows(place..<place + piece.count)
            exclusiveOr(parameters.rows(piece), into: changes)
            gradients.rows(piece).copy(from: changes)
            place += piece.count
        }
        try communicator.gather(gradients, slices)
        for other in 0..<communicator.size where other != communicator.rank {
            for piece in slices[other] { exclusiveOr(gradients.rows(piece), into: parameters.rows(piece)) }
        }
    }

    /// A copy of the slice's parameters, end to end.
    private func ownParameters() -> Tensor {
        let own = Tensor(zeros: [firstMoment.count])
        var place = 0
        for piece in slice {
            own.rows(place..<place + piece.count).copy(from: parameters.rows(piece))
            place += piece.count
        }
        return own
    }

    /// Puts back the state of an earlier run; the moments are copied, each as long as the slice.
    public func restore(step: Int, firstMoment: Tensor, secondMoment: Tensor) {
        precondition(step >= 0, "a step count is not negative; this is \(step)")
        self.step = step
        self.firstMoment.copy(from: firstMoment)
        self.secondMoment.copy(from: secondMoment)
    }

    private static func segments(of slice: [Range<Int>], _ count: Int, decaying: [Range<Int>]) -> [Segment] {
        var runs: [(range: Range<Int>, decays: Bool)] = []
        var covered = 0
        for range in decaying {
            precondition(
                range.lowerBound >= covered && range.upperBound <= count,
                "decaying ranges must be in order within 0..<\(count); \(range) is not"
            )
            runs += [(covered..<range.lowerBound, false), (range, true)]
            covered = range.upperBound
        }
        runs.append((covered..<count, false))
        var place = 0
        return slice.flatMap { piece in
            defer { place += piece.count }
            return runs.compactMap { run in
                let own = run.range.clamped(to: piece)
                let moments = place + own.lowerBound - piece.lowerBound
                return own.isEmpty ? nil : Segment(range: own, place: moments, decays: run.decays)
            }
        }
    }
}
