package import Collectives
package import Tensors

extension Communicator {
    /// Replaces the elements of a float32 tensor by their sum over all ranks, the same bits on every rank.
    package func allReduceSum(_ tensor: Tensor) throws {
        try tensor.withMutableSpan { span in try allReduceSum(&span) }
    }

    /// Replaces the elements of a float32 tensor on every rank by the root's.
    package func broadcast(_ tensor: Tensor) throws {
        try tensor.withMutableSpan { span in try broadcast(&span) }
    }

    /// `enter`, with float32 numbers of the phase that a test may want spoiled.
    package func enter(_ phase: Phase, step: Int, with tensor: Tensor) throws {
        guard let spoiling = try enter(phase, step: step), tensor.count > 0 else { return }
        let middle = tensor.count / 2
        switch spoiling {
        case .nan: tensor[middle] = .nan
        // A bit of the fraction: the number stays an ordinary one.
        case .bitflip: tensor[middle] = Float(bitPattern: tensor[middle].bitPattern ^ 1 << 20)
        }
    }
}
