import Collectives
import LanguageModels
import Optimizers
package import Tensors

// Where a whole model is trained in bf16, ranks that share the work have fp32 weights (masters) of their own slices,
// and the bf16 copy of the rest. Gains, biases and heads, a thousandth of the weights, are read in fp32: there every
// rank's copy is fp32.

extension LanguageModel {
    /// What must have the same bits on every rank in training.
    package var replicas: [Tensor] {
        guard masters != nil, let bf16Replicas else { return [trainableValues] }
        return gaps(in: 0..<parameters.count, between: bf16Replicas.ranges).map { parameters.values.rows($0) }
            + bf16Replicas.ranges.map { bf16Replicas.copy.rows($0) }
    }

    /// Gives this rank the trained weights of all slices, before they are used otherwise than in passes; the gradients'
    /// memory, which makes room for them, is given back.
    func gatherMasters(of optimizer: AdamW, over communicator: any Communicator) throws {
        trainableGradients.discardPages()
        masters = nil
        try optimizer.gatherParameters(over: communicator)
        parametersDidChange()
    }

    /// Resumes with slices that a saved state filled, after so many updates.
    func resumeTraining(by optimizer: AdamW, updates: Int, over communicator: any Communicator) throws {
        let isSliced = masters != nil
        try gatherMasters(of: optimizer, over: communicator)
        if isSliced { dropMasters(except: optimizer.slice) }
        optimizer.resume(step: updates)
    }

    /// Keeps masters of a slice, and what is read in fp32.
    func dropMasters(except slice: [Range<Int>]) {
        guard let bf16Replicas else { return }
        let dropped = bf16Replicas.ranges.flatMap { gaps(in: $0, between: slice) }
        masters = gaps(in: 0..<parameters.count, between: dropped)
        parameters.values.useSmallPages()
        for range in dropped { parameters.values.rows(range).discardPages() }
    }

    /// The bf16 copy, where the whole model is trained with one.
    var bf16Replicas: BF16Replicas? {
        guard trainable == .full, let productCopy else { return nil }
        return BF16Replicas(copy: productCopy, ranges: Parameters.matrixRanges(of: configuration, head: head))
    }
}
