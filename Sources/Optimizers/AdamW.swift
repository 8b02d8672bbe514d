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
    /// The parameters that this rank updates.
    public let slice: Range<Int>

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
        let slice = exchange.slice(of: parameters.count, communicator)
        self.slice = slice
        firstMoment = Tensor(zeros: [slice.count])
        secondMoment = Tensor(zeros: [slice.count])
        segments = Self.segments(of: parameters.count, decaying: decaying).compactMap { segment in
            let own = segment.range.clamped(to: slice)
            return own.isEmpty ? nil : Segment(range: own, decays: segment.decays)
        }
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
        let own = gradients.rows(slice)
        if factor != 1 { scale(own, by: factor) }
        let isShared = communicator.size > 1 && exchange == .reproducible
        let squares = try isShared ? communicator.joined(chunkSumsOfSquares(own)) : chunkSumsOfSquares(own)
        let norm = squares.reduce(0, +).squareRoot()
        guard norm.isFinite else { return norm }
        step += 1
        let before = isShared ? parameters.rows(slice).copied() : nil
        let gradientScale = settings.clipNorm > 0 ? Float(min(1, Double(settings.clipNorm) / (norm + 1e-6))) : 1
        for segment in segments {
            let (start, length) = (segment.range.lowerBound, segment.range.count)
            let place = start - slice.lowerBound
            adamWStep(
                parameters: parameters.view(at: start, shape: [length]),
                gradients: gradients.view(at: start, shape: [length]),
                firstMoment: firstMoment.view(at: place, shape: [length]),
                secondMoment: secondMoment.view(at: place, shape: [length]),
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
        exclusiveOr(parameters.rows(slice), into: before)
        gradients.rows(slice).copy(from: before)
        try communicator.gather(gradients, slices)
        for other in slices.all where other != slice {
            exclusiveOr(gradients.rows(other), into: parameters.rows(other))
        }
    }

    /// Puts back the state of an earlier run; the moments are copied, each as long as the slice.
    public func restore(step: Int, firstMoment: Tensor, secondMoment: Tensor) {
        precondition(step >= 0, "a step count is not negative; this is \(step)")
        self.step = step
        self.firstMoment.copy(from: firstMoment)
        self.secondMoment.copy(from: secondMoment)
    }

    private static func segments(of count: Int, decaying: [Range<Int>]) -> [Segment] {
        var segments: [Segment] = []
        func append(_ range: Range<Int>, decays: Bool) {
            if range.isEmpty { return }
            if let last = segments.last, last.decays == decays {
                segments[segments.count - 1] = Segment(range: last.range.lowerBound..<range.upperBound, decays: decays)
            } else {
                segments.append(Segment(range: range, decays: decays))
            }
        }
        var covered = 0
        for range in decaying {
            precondition(
                range.lowerBound >= covered && range.upperBound <= count,
                "decaying ranges must be in order within 0..<\(count); \(range) is not"
            )
            append(covered..<range.lowerBound, decays: false)
            append(range, decays: true)
            covered = range.upperBound
        }
        append(covered..<count, decays: false)
        return segments
    }
}
