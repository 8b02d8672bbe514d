public import Collectives
public import Tensors

extension Communicator {
    /// Replaces the elements of a float32 tensor by their sum over all ranks, the same bits on every rank.
    public func allReduceSum(_ tensor: Tensor) throws {
        try tensor.withMutableSpan { span in try allReduceSum(&span) }
    }

    /// Replaces the elements of a float32 tensor on every rank by the root's.
    public func broadcast(_ tensor: Tensor) throws {
        try tensor.withMutableSpan { span in try broadcast(&span) }
    }
}
