package import Collectives
package import Tensors

/// AdamW over the trainable range of one flat parameter vector.
///
/// Loshchilov & Hutter, arXiv 1711.05101, Algorithm 2, as `torch.optim.AdamW` computes it. Moments exist for the given
/// parameters only, so a caller that trains a suffix of a model passes views of that suffix. Ranks share the work: each
/// holds the moments of its own slice and updates it, by `GradientReduction.reproducible`; with `BF16Replicas` it needs
/// no fp32 parameters of other slices there (ZeRO stage 1, arXiv 1910.02054). The state that a checkpoint needs is
/// `step` and the moments.
package final class AdamW {
    /// How many updates were made.
    package private(set) var step = 0
    /// m: running mean of gradients, of the slice.
    package let firstMoment: Tensor
    /// v: running mean of squared gradients, of the slice.
    package let secondMoment: Tensor
    /// The parameters that this rank updates, in order; the moments are theirs, end to end.
    package let slice: [Range<Int>]

    /// Whether every rank holds all moments.
    var isReplicated: Bool { reduction == .allReduce }
    let parameters: Tensor
    private let gradients: Tensor
    private let settings: OptimizerSettings
    private let reduction: GradientReduction
    private let halves: BF16Replicas?
    private let segments: [Segment]
    /// A segment's parameters before its update; empty where ranks share none.
    private let before: Tensor

    /// A maximal run of this rank's elements that all decay or all do not, and of all or none of which others have
    /// halves alone.
    private struct Segment {
        let range: Range<Int>
        /// Where its moments begin.
        let offset: Int
        let decays: Bool
        /// What other ranks have of it, where that is halves.
        let copy: Tensor?
    }

    /// Starts with moments of zero.
    ///
    /// `parameters` and `gradients` are flat float32 tensors of equal length, kept and updated in place. `decaying`:
    /// flat ranges that decay applies to, in order (the other ranges of `parameters` do not decay). `halves`: where
    /// ranks share the work and other slices' parameters are not read; nil: everywhere they are. `communicator`: the
    /// ranks that do the work; its messages are `update`'s. `reduction`: how the gradients were summed.
    package init(
        parameters: Tensor,
        gradients: Tensor,
        decaying: [Range<Int>],
        settings: OptimizerSettings,
        halves: BF16Replicas? = nil,
        by reduction: GradientReduction = .reproducible,
        over communicator: any Communicator = SoloCommunicator()
    ) {
        precondition(
            parameters.count == gradients.count,
            "\(parameters.count) parameters but \(gradients.count) gradients"
        )
        self.parameters = parameters
        self.gradients = gradients
        self.settings = settings
        self.reduction = reduction
        self.halves = reduction.isShared(over: communicator) ? halves : nil
        slice = reduction.slice(of: parameters.count, communicator)
        let count = slice.reduce(0) { $0 + $1.count }
        firstMoment = Tensor(zeros: [count])
        secondMoment = Tensor(zeros: [count])
        segments = Self.segments(of: slice, parameters.count, decaying: decaying, halves: self.halves)
        let longest = segments.map(\.range.count).max() ?? 0
        before = Tensor(zeros: [reduction.isShared(over: communicator) ? longest : 0])
    }

    /// One step with `factor` times the gradient; returns the scaled gradient's norm before clipping.
    ///
    /// Of the gradient a rank needs its slice; the update uses the gradient up. Every rank of the work calls it. A norm
    /// that is not finite changes nothing and is returned as it is. Otherwise the gradient is multiplied by min(1,
    /// clipNorm / (norm + 1e-6)), as `torch.nn.utils.clip_grad_norm_` does.
    package func update(
        learningRate: Float,
        scaledBy factor: Float = 1,
        over communicator: any Communicator = SoloCommunicator()
    ) throws -> Double {
        precondition(
            reduction.slice(of: parameters.count, communicator) == slice,
            "an update's ranks are those that the optimizer was made for"
        )
        if factor != 1 { for piece in slice { scale(gradients.rows(piece), by: factor) } }
        let isShared = reduction.isShared(over: communicator)
        var squares = slice.flatMap { chunkSumsOfSquares(gradients.rows($0)) }
        if isShared {
            let slices = ZeROPartition(of: parameters.count, ranks: communicator.size)
            squares = slices.inOrder(try communicator.allGatherV(squares))
        }
        let norm = squares.reduce(0, +).squareRoot()
        guard norm.isFinite else { return norm }
        step += 1
        let gradientScale = settings.clipNorm > 0 ? Float(min(1, Double(settings.clipNorm) / (norm + 1e-6))) : 1
        for segment in segments {
            let moments = segment.offset..<segment.offset + segment.range.count
            let (values, changes) = (parameters.rows(segment.range), gradients.rows(segment.range))
            let old = isShared ? before.view(at: 0, shape: values.shape) : nil
            old?.copy(from: segment.copy ?? values)
            adamWStep(
                parameters: values,
                gradients: changes,
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
            if let old {
                segment.copy?.copy(from: values)
                changes.copy(from: segment.copy ?? values)
                exclusiveOr(old, into: changes)
            }
        }
        if isShared { try exchangeChanges(over: communicator) }
        return norm
    }

    /// Brings the other ranks' updates here, and this rank's to them, through the gradient's memory.
    ///
    /// What travels is not the weights but which of their bits changed: a copy that a fault has spoiled then stays
    /// spoiled, and the comparison of replicas finds it. Where others have halves alone, it is bits of those.
    private func exchangeChanges(over communicator: any Communicator) throws {
        let slices = ZeROPartition(of: parameters.count, ranks: communicator.size)
        try communicator.gather(gradients, slices)
        for pieces in slices.buckets.map(slices.pieces(of:)) {
            for piece in pieces[..<communicator.rank] + pieces[(communicator.rank + 1)...] {
                for part in Self.parts(of: piece, halves) {
                    exclusiveOr(gradients.rows(part.range), into: part.copy ?? parameters.rows(part.range))
                }
            }
        }
    }

    /// A range cut where other ranks begin or cease to have halves alone, with the copy of those.
    private static func parts(of range: Range<Int>, _ halves: BF16Replicas?) -> [(range: Range<Int>, copy: Tensor?)] {
        cut(range, at: halves?.ranges ?? []).map { ($0.range, $0.isInside ? halves?.copy.rows($0.range) : nil) }
    }

    /// Gives this rank the parameters of all slices.
    package func gatherParameters(over communicator: any Communicator) throws {
        guard reduction == .reproducible else { return }
        try communicator.gather(parameters, ZeROPartition(of: parameters.count, ranks: communicator.size))
    }

    /// Puts back the state of an earlier run; the moments are copied, each as long as the slice.
    package func restore(step: Int, firstMoment: Tensor, secondMoment: Tensor) {
        precondition(step >= 0, "a step count is not negative; this is \(step)")
        self.step = step
        self.firstMoment.copy(from: firstMoment)
        self.secondMoment.copy(from: secondMoment)
    }

    private static func segments(
        of slice: [Range<Int>],
        _ count: Int,
        decaying: [Range<Int>],
        halves: BF16Replicas?
    ) -> [Segment] {
        precondition(
            decaying.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= count }
                && zip(decaying, decaying.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound },
            "decaying ranges must be in order within 0..<\(count): \(decaying)"
        )
        var offset = 0
        return slice.flatMap { cut($0, at: decaying) }.flatMap { run in
            parts(of: run.range, halves).map { part in
                defer { offset += part.range.count }
                return Segment(range: part.range, offset: offset, decays: run.isInside, copy: part.copy)
            }
        }
    }
}
